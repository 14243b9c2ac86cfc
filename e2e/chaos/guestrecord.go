package chaos

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"mngr/e2e/rig"
)

// step is a phase of a command during which a connection to the machine is in use, or a
// write to Azure that nobody else's commands send.
type step struct {
	phase  string
	before string // the phase that ends as this one begins; "" for none
	port   string // tcp:22 or tcp:2222; "" where it asks Azure
	nth    int    // among the connections of that port, those of the command or, unless it opens one, those open
	opens  bool   // the connection is opened in this phase
	call   string // the write to Azure
}

// brief is by how much a blow may come later than the end of its phase: many last for a few
// milliseconds, and what goes on then goes on in the next.
const brief = 50 * time.Millisecond

// fell tells whether a blow fell in a step, for what is known once the command has ended.
func (s step) fell(at time.Time, all []moment) bool {
	if s.before != "" {
		n := indexOf(all, s.before)
		if n < 0 || at.Before(all[n].at.Add(-late)) {
			return false
		}
	}
	n := indexOf(all, s.phase)
	return n < 0 || at.Before(all[n].at.Add(brief)) // one that was killed does not say how its phase ended
}

// plainly is a phase without what differs from one machine to the next, or comes with time.
func plainly(phase string) string {
	phase, _, _ = strings.Cut(phase, ": ")
	return address.ReplaceAllString(phase, "the machine")
}

// wire is a connection as the local Azure's log has it.
type wire struct {
	port        string
	began, over time.Time // over is zero while it is open
}

// record runs a command to which nothing happens, and returns its steps.
func (l *lane) record(ctx context.Context, args []string) ([]step, error) {
	mark, err := l.azure.Mark()
	if err != nil {
		return nil, err
	}
	p, err := l.who.Start(ctx, args...)
	if err != nil {
		return nil, err
	}
	trail := follow(p)
	if r := p.Wait(); r.Code != 0 {
		return nil, fmt.Errorf("record %v: %s", args, r)
	}
	wires, err := l.wires(mark)
	steps := stepsOf(trail.whole(), p.Began(), wires)
	if err == nil && len(steps) == 0 {
		err = fmt.Errorf("record %v: nothing was seen to go by SSH", args)
	}
	return steps, err
}

// plan says that something is to befall each step of a command.
func (l *lane) plan(command string, steps []step) {
	for _, s := range steps {
		l.table.Calls(command, s.name(), 1)
		l.ledger.plan(command, s)
	}
}

// name is a step as the table shows it.
func (s step) name() string {
	if s.port == "" {
		return "azure " + s.phase
	}
	return strings.TrimPrefix(s.port, "tcp:") + " " + s.phase
}

var address = regexp.MustCompile(`127\.[0-9]+\.[0-9]+\.[0-9]+`)

// wires are the connections to machines of the lane's group, in order.
func (l *lane) wires(after rig.Mark) ([]wire, error) {
	log, err := l.azure.Log(after)
	var all []wire
	index := map[string]int{}
	in := "/resourcegroups/" + strings.ToLower(l.group) + "/"
	for _, e := range log {
		switch {
		case !e.Connection() || !strings.Contains(strings.ToLower(e.Resource), in):
		case e.Ended == "":
			index[e.ID] = len(all)
			all = append(all, wire{port: e.Operation, began: e.Time})
		default:
			if i, known := index[e.ID]; known {
				all[i].over = e.Time
			}
		}
	}
	return all, err
}

// late is by how much a phase's end may be seen later than the next phase has begun.
const late = 20 * time.Millisecond

// lingers is for how long the log may show a connection after its last phase has ended.
const lingers = 100 * time.Millisecond

// asking are the phases during which connections that are open are not in use, with the
// writes to Azure that TestARM cannot reach.
var asking = map[string]string{
	"looking at what exists":                 "",
	"asking Azure about host a":              "",
	"waiting for Azure to finish":            "",
	"waiting for the address":                "",
	"waiting for SSH of the virtual machine": "", // the same wait as the one before, after half a minute
	"publishing the host keys":               "Microsoft.Resources/tags/write",
	"recording it in the tags":               "Microsoft.Compute/virtualMachines/write",
}

// stepsOf finds the connection that each phase uses: of those that were open, the youngest.
func stepsOf(all []moment, began time.Time, wires []wire) []step {
	var steps []step
	from, before := began, ""
	var last time.Time // end of the last phase that used one
	for _, m := range all {
		earliest, latest := from.Add(-late), m.at.Add(-late)
		switch opens := strings.HasPrefix(m.phase, "connecting"); {
		case opens:
			latest = m.at // it, and not the next
		case earliest.Before(last):
			earliest = last
		}
		if latest.Before(last) { // it uses what one before has opened, however short it is
			latest = last
		}
		used := -1
		for i, w := range wires {
			if w.began.Before(latest) && (w.openAt(from) || !w.began.Before(earliest)) {
				used = i
			}
		}
		call, asks := asking[m.phase]
		switch {
		case call != "":
			steps = append(steps, step{phase: m.phase, before: before, call: call})
		case asks:
		case used >= 0:
			last = m.at
			s := step{phase: m.phase, before: before, port: wires[used].port, opens: !wires[used].began.Before(earliest)}
			s.nth = 1
			for _, w := range wires[:used] {
				if w.port == s.port && (s.opens || w.openAt(from)) {
					s.nth++
				}
			}
			steps = append(steps, s)
		}
		from, before = m.at, m.phase
	}
	return steps
}

// openAt tells whether a connection was open when a phase began, and not about to end.
func (w wire) openAt(t time.Time) bool { return w.over.IsZero() || w.over.After(t.Add(lingers)) }
