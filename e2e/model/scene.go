package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mngr/e2e/rig"
)

// Scene is a local Azure with operators, and the worlds in which it may be.
type Scene struct {
	Azure     *rig.Azure
	Operators map[string]*rig.Operator
	Worlds    []World

	watcher Watcher
}

// NewScene brings up a local Azure without machines for some operators.
func NewScene(t testing.TB, operators ...string) *Scene {
	t.Helper()
	s := &Scene{Azure: rig.Start(t, rig.Options{}), Operators: map[string]*rig.Operator{}, Worlds: []World{{}}}
	client, err := rig.NewClient(t.Context(), s.Azure.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s.watcher = Watcher{Azure: s.Azure, Client: client}
	for _, name := range operators {
		o, err := s.Azure.Operator(name)
		if err != nil {
			t.Fatal(err)
		}
		s.Operators[name] = o
	}
	return s
}

// Batch is a few commands that are started at the same moment, and what befalls them.
type Batch struct {
	Commands []Command
	Fault    *rig.Fault
	Signal   *Signal
}

// Signal ends one command of a batch.
type Signal struct {
	Command int
	After   time.Duration
	Kill    bool // else SIGINT
}

func (b Batch) String() string {
	var text strings.Builder
	for _, c := range b.Commands {
		fmt.Fprintf(&text, "  %s\n", c)
	}
	if b.Fault != nil {
		fault, _ := json.Marshal(b.Fault)
		fmt.Fprintf(&text, "  with %s\n", fault)
	}
	if b.Signal != nil {
		name := "SIGINT"
		if b.Signal.Kill {
			name = "SIGKILL"
		}
		fmt.Fprintf(&text, "  with %s to number %d after %s\n", name, b.Signal.Command+1, b.Signal.After)
	}
	return text.String()
}

// hopeless is after what time a start is interrupted that waits for a guest: a driver
// without machines has none.
const hopeless = 4 * time.Second

// Play runs a batch and holds what it leaves against the model.
func (s *Scene) Play(ctx context.Context, b Batch) error {
	if b.Fault != nil {
		if _, err := s.Azure.AddFault(ctx, *b.Fault); err != nil {
			return err
		}
	}
	runs, results, err := s.run(ctx, b)
	if b.Fault != nil {
		err = errors.Join(err, s.Azure.ClearFaults(ctx))
	}
	if err != nil {
		return err
	}
	return s.Judge(ctx, runs, results)
}

// run starts all commands at once and waits for their ends.
func (s *Scene) run(ctx context.Context, b Batch) ([]Run, []rig.Result, error) {
	runs, results := make([]Run, len(b.Commands)), make([]rig.Result, len(b.Commands))
	errs := make([]error, len(b.Commands))
	var wg sync.WaitGroup
	for n, c := range b.Commands {
		runs[n] = Run{Command: c, Shaky: b.Fault != nil, Fails: b.Fault != nil && b.Fault.Effect == "operation-fails"}
		wg.Go(func() {
			if c.Verb == Finish {
				errs[n] = s.finish(ctx, c)
				return
			}
			var p *rig.Process
			if p, errs[n] = s.Operators[c.Operator].Start(ctx, c.Args(rig.Provider)...); errs[n] != nil {
				return
			}
			if b.Signal != nil && b.Signal.Command == n {
				errs[n] = b.Signal.send(p, &runs[n], b.Fault == nil)
			}
			if c.Verb == Start {
				patience := Signal{After: hopeless}
				errs[n] = errors.Join(errs[n], patience.send(p, &runs[n], false))
			}
			results[n] = p.Wait()
		})
	}
	wg.Wait()
	return runs, results, errors.Join(errs...)
}

// send sends the signal unless the command ends before.
func (g Signal) send(p *rig.Process, run *Run, undoes bool) error {
	timer := time.NewTimer(g.After)
	defer timer.Stop()
	select {
	case <-p.Done():
		return nil
	case <-timer.C:
	}
	run.Shaky, run.Undoes = true, undoes && !g.Kill
	if g.Kill {
		return p.Signal(os.Kill)
	}
	return p.Signal(syscall.SIGINT)
}

// Judge wants how commands ended, what is at Azure, what is billed and what each operator
// sees to be one of the model's worlds.
func (s *Scene) Judge(ctx context.Context, runs []Run, results []rig.Result) error {
	var ends []End
	for _, w := range s.Worlds {
		ends = append(ends, Explore(w, runs)...)
	}
	codes := make([]int, len(results))
	for n, r := range results {
		codes[n] = r.Code
		if err := explained(r); err != nil {
			return err
		}
	}
	story := func() string {
		text := ""
		for n, r := range results {
			if runs[n].Verb != Finish {
				text += r.String() + "\n"
			}
		}
		return text
	}
	worlds := Matching(ends, codes)
	if len(worlds) == 0 {
		return fmt.Errorf("exit codes %v, and the model knows %s\n%s%s", codes, Outcomes(ends), story(), s.before())
	}
	seen, err := s.look(ctx)
	if err != nil {
		return err
	}
	s.Worlds, err = agreeing(worlds, seen)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, story())
	}
	if err := s.lists(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, story())
	}
	return nil
}

func (s *Scene) before() string {
	text := "before:\n"
	for _, w := range s.Worlds {
		text += "  " + w.key() + "\n"
	}
	return text
}

func (s *Scene) look(ctx context.Context) (Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	return s.watcher.Look(ctx)
}

// agreeing returns the worlds that are as what is seen.
func agreeing(worlds []World, seen Seen) ([]World, error) {
	var agree []World
	var least []string
	for _, w := range worlds {
		differences := w.Differs(seen)
		if len(differences) == 0 {
			w.Learn(seen)
			if !slices.ContainsFunc(agree, func(other World) bool { return other.key() == w.key() }) {
				agree = append(agree, w)
			}
			continue
		}
		if least == nil || len(differences) < len(least) {
			least = differences
		}
	}
	if len(agree) == 0 {
		return nil, fmt.Errorf("what is at Azure is none of %d possible worlds; of the nearest:\n  %s", len(worlds), strings.Join(least, "\n  "))
	}
	return agree, nil
}

// lists holds the bill and every operator's listing against the worlds, and keeps those
// that agree with all: labels and names of agents tell some apart.
func (s *Scene) lists(ctx context.Context) error {
	status, err := s.Azure.Status(ctx)
	if err != nil {
		return err
	}
	listings := make(map[string]*rig.Listing, len(s.Operators))
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	for name, o := range s.Operators {
		wg.Go(func() {
			l, err := o.List(ctx)
			mu.Lock()
			defer mu.Unlock()
			listings[name] = &l
			errs = append(errs, err)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var agree []World
	var differences []string
	for _, w := range s.Worlds {
		found := w.DiffersFromBill(status.Billed)
		for name, l := range listings {
			for _, d := range w.DiffersFromList(*l) {
				found = append(found, name+"'s list: "+d)
			}
		}
		if len(found) == 0 {
			agree = append(agree, w)
		} else {
			differences = found
		}
	}
	if len(agree) == 0 {
		return fmt.Errorf("lists and bill agree with none of %d worlds; of one:\n  %s", len(s.Worlds), strings.Join(differences, "\n  "))
	}
	s.Worlds = agree
	return nil
}

// finish publishes a key of a container, as the last write of a creation.
func (s *Scene) finish(ctx context.Context, c Command) error {
	seen, err := s.look(ctx)
	if err != nil {
		return err
	}
	h := (&program{w: &s.Worlds[0], t: &thread{}, c: c}).named()
	if h == nil || h.Finished || h.Power != Running {
		return nil
	}
	for _, o := range seen.Hosts {
		if o.Born == h.Born {
			return s.publish(ctx, o.Resource)
		}
	}
	return nil
}

// publish writes what fleet's publishKeys would.
func (s *Scene) publish(ctx context.Context, machine string) error {
	const key = "AAAAC3NzaC1lZDI1NTE5AAAAIGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"
	body := `{"operation":"Merge","properties":{"tags":{"mngr-host-keys":"vm=` + key + ` container=` + key + `"}}}`
	status, answer, err := s.watcher.Client.Do(ctx, http.MethodPatch, machine+"/providers/Microsoft.Resources/tags/default?api-version=2021-04-01", []byte(body))
	if err != nil {
		return err
	}
	if status != http.StatusOK && status != http.StatusAccepted {
		return fmt.Errorf("publish a container's key: %d %s", status, answer)
	}
	return nil
}

// raw are the marks of the SDK's own rendering of ARM's answers, and of a crash.
var raw = []string{"RESPONSE ", "ERROR CODE", "-----", `"error":`, "goroutine ", "https://127.", "x-ms-", "panic"}

// mostCause bounds a line of cause, in bytes.
const mostCause = 500

// explained wants a command that failed to say why in one line, and nothing of Azure's own
// text as it came.
func explained(r rig.Result) error {
	if r.Hung {
		return fmt.Errorf("it hangs\n%s", r)
	}
	if r.Code == 0 || r.Code == killed {
		return nil
	}
	causes := 0
	for line := range strings.Lines(r.Stderr) {
		for _, mark := range raw {
			if strings.Contains(line, mark) {
				return fmt.Errorf("raw text %q in a message\n%s", mark, r)
			}
		}
		if strings.HasPrefix(line, "Error: ") {
			causes++
			if len(line) > mostCause {
				return fmt.Errorf("a cause of %d bytes\n%s", len(line), r)
			}
		}
	}
	if causes == 0 {
		return fmt.Errorf("code %d without a cause\n%s", r.Code, r)
	}
	return nil
}
