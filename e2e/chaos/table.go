package chaos

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"
)

// Harm is what trouble did that it must not do.
type Harm string

// The kinds of harm.
const (
	Leak Harm = "leak"       // something bills, or stays, that list does not show or nothing removes
	Hang Harm = "hang"       // a command did not end in its time
	Lost Harm = "lost agent" // an agent that was acknowledged is gone
	Rude Harm = "words"      // a command ended with a panic, a raw answer of Azure's, or without a word
	Else Harm = "other"      // the command, repeated, did not do what it is for
)

// Finding is harm with its story.
type Finding struct {
	Harm Harm
	Text string
}

// Row is what was tried on one pair of command and operation.
type Row struct {
	Command, Operation string
	Calls, Faults      int
	Harm               map[Harm]int
}

// Table counts what was tried. It is safe for concurrent use.
type Table struct {
	mu   sync.Mutex
	rows map[[2]string]*Row
}

// Calls notes how often a command sends an operation when nothing goes wrong.
func (t *Table) Calls(command, operation string, calls int) {
	t.change(command, operation, func(r *Row) { r.Calls = calls })
}

// Add counts one fault that was hit, and the harm that it did.
func (t *Table) Add(command, operation string, found []Finding) {
	t.change(command, operation, func(r *Row) {
		r.Faults++
		for _, f := range found {
			r.Harm[f.Harm]++
		}
	})
}

func (t *Table) change(command, operation string, change func(*Row)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[[2]string]*Row{}
	}
	key := [2]string{command, operation}
	if t.rows[key] == nil {
		t.rows[key] = &Row{Command: command, Operation: operation, Harm: map[Harm]int{}}
	}
	change(t.rows[key])
}

// Rows returns the pairs by command and operation.
func (t *Table) Rows() []Row {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Row
	for _, r := range t.rows {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Command, b.Command), cmp.Compare(a.Operation, b.Operation))
	})
	return all
}

// Print writes the table with its totals.
func (t *Table) Print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "COMMAND\tOPERATION\tCALLS\tFAULTS\tLEAKS\tHANGS\tLOST AGENTS\tWORDS\tOTHER")
	total := Row{Harm: map[Harm]int{}}
	rows := t.Rows()
	commands := map[string]bool{}
	for _, r := range rows {
		commands[r.Command] = true
		r.print(out)
		total.Calls += r.Calls
		total.Faults += r.Faults
		for harm, n := range r.Harm {
			total.Harm[harm] += n
		}
	}
	total.Command = fmt.Sprintf("total of %d commands", len(commands))
	total.Operation = fmt.Sprintf("%d pairs", len(rows))
	total.print(out)
	return out.Flush()
}

func (r Row) print(w io.Writer) {
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", r.Command, r.Operation, r.Calls, r.Faults,
		r.Harm[Leak], r.Harm[Hang], r.Harm[Lost], r.Harm[Rude], r.Harm[Else])
}
