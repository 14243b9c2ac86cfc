package model

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"mngr/e2e/rig"
)

// pairs are the writing commands, on a host "ant" that is finished and, for start, off.
// The second operator's are the same where that makes sense, and others where two
// different writes must both hold.
var pairs = []struct {
	name          string
	first, second Command
	off           bool // the host is deallocated before
	unfinished    bool // the host is not finished
	empty         bool // there is no host
	write         string
}{
	{name: "create", empty: true, first: Command{Verb: Create, Target: "ant", Argv: "true"}, write: "Microsoft.Compute/virtualMachines/write"},
	{name: "stop", first: Command{Verb: Stop, Target: "ant", ByHost: true}, write: "Microsoft.Compute/virtualMachines/deallocate/action"},
	{name: "start", off: true, first: Command{Verb: Start, Target: "ant"}, write: "Microsoft.Compute/virtualMachines/start/action"},
	{name: "destroy", first: Command{Verb: Destroy, Target: "ant", ByHost: true, Force: true}, write: "Microsoft.Compute/virtualMachines/delete"},
	{name: "label", first: Command{Verb: Label, Target: "ant", Key: "x", Value: "1"}, second: Command{Verb: Label, Target: "ant", Key: "y", Value: "2"},
		write: "Microsoft.*/write"},
	{name: "rename", first: Command{Verb: Rename, Target: "ant", Name: "bee"}, write: "Microsoft.*/write"},
	{name: "rename-host", first: Command{Verb: RenameHost, Target: "ant", Name: "bee"}, write: "Microsoft.*/write"},
	{name: "rename-host-same", first: Command{Verb: RenameHost, Target: "ant", Name: "cat"}, second: Command{Verb: Create, Target: "cat", Argv: "true"},
		write: "Microsoft.*/write"},
	{name: "gc", unfinished: true, first: Command{Verb: GC, Force: true}, write: "Microsoft.Compute/virtualMachines/delete"},
	{name: "prepare", first: Command{Verb: Prepare}},
	{name: "cleanup", empty: true, first: Command{Verb: Cleanup}, write: "Microsoft.Resources/subscriptions/resourceGroups/delete"},
}

// some are the pairs of the bounded run, by the names of both: of each kind of write the
// quickest that has seen a fault of mngr's, or would.
var some = []string{
	"create create", "create cleanup", "cleanup prepare", "destroy create", "gc create",
	"label label", "label rename", "label stop", "rename label", "start stop",
}

// Each writing command is held at its write, a colleague's runs meanwhile to its end, or as
// far as it gets, and then both go on. What both leave is one of the worlds that the model
// knows: nothing is lost, nobody's host is removed by a command that did not mean it, and
// what is refused says why. MNGR_MODEL_COMMANDS, of any number, takes all pairs.
func TestPairs(t *testing.T) {
	s := NewScene(t, operators...)
	for _, a := range pairs {
		for _, b := range pairs {
			name := a.name + " " + b.name
			if os.Getenv("MNGR_MODEL_COMMANDS") == "" && !strings.Contains("|"+strings.Join(some, "|")+"|", "|"+name+"|") {
				continue
			}
			second := b.second
			if second.Verb == "" {
				second = b.first
			}
			first := a.first
			first.Operator, second.Operator = operators[0], operators[1]
			t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
				ctx := t.Context()
				stage := []Command{{Operator: operators[2], Verb: Prepare}}
				if !a.empty || second.Verb != Create && second.Verb != Cleanup && a.first.Verb != Cleanup && a.first.Verb != Create {
					stage = append(stage, Command{Operator: operators[0], Verb: Create, Target: "ant", Argv: "true"})
					if !a.unfinished && second.Verb != GC {
						stage = append(stage, Command{Operator: operators[0], Verb: Finish, Target: "ant"})
					}
					if a.off {
						stage = append(stage, Command{Operator: operators[0], Verb: Stop, Target: "ant", ByHost: true})
					}
				}
				for _, c := range stage {
					if err := s.Play(ctx, Batch{Commands: []Command{c}}); err != nil {
						t.Fatalf("staging: %s: %v", c, err)
					}
				}
				if err := s.hold(ctx, first, second, a.write); err != nil {
					t.Errorf("%s\n%s\n%v", first, second, err)
				}
				if err := s.clear(ctx); err != nil {
					t.Fatal(err)
				}
			})
			if t.Failed() {
				return // what is left disturbs what follows
			}
		}
	}
	s.end(t)
}

// hold starts the first command, keeps its write from Azure, runs the second one, and lets
// the first go on once the second has ended or waits.
func (s *Scene) hold(ctx context.Context, first, second Command, write string) error {
	runs := []Run{{Command: first}, {Command: second}}
	id := ""
	if write != "" {
		var err error
		if id, err = s.Azure.AddFault(ctx, rig.Fault{On: write, Effect: "hold-before", Times: 1}); err != nil {
			return err
		}
	}
	a, err := s.Operators[first.Operator].Start(ctx, first.Args(rig.Provider)...)
	if err != nil {
		return err
	}
	if id != "" {
		if _, err := s.Azure.AwaitHit(ctx, id, a); err != nil {
			return err
		}
	}
	b, err := s.Operators[second.Operator].Start(ctx, second.Args(rig.Provider)...)
	if err != nil {
		return err
	}
	errs := make([]error, 2)
	patience := Signal{After: hopeless}
	if second.Verb == Start {
		errs[1] = patience.send(b, &runs[1], false)
	}
	waits, cancel := context.WithTimeout(ctx, hopeless)
	defer cancel()
	select {
	case <-b.Done():
	case <-waits.Done(): // for the first one
	}
	if err := s.Azure.ClearFaults(ctx); err != nil {
		return err
	}
	if first.Verb == Start {
		errs[0] = patience.send(a, &runs[0], false)
	}
	results := []rig.Result{a.Wait(), b.Wait()}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.Judge(ctx, runs, results)
}

// clear destroys all hosts.
func (s *Scene) clear(ctx context.Context) error {
	for len(s.Worlds[0].Hosts) > 0 {
		c := Command{Operator: operators[2], Verb: Destroy, Target: s.Worlds[0].Hosts[0].Name, ByHost: true, Force: true}
		if err := s.Play(ctx, Batch{Commands: []Command{c}}); err != nil {
			return fmt.Errorf("clearing: %w", err)
		}
	}
	return nil
}
