package model

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mngr/e2e/rig"
)

// Three operators give random commands with random faults, one at a time and at once; what
// is at Azure, what is billed and what each of them sees is what the model says. The
// bounded run takes a fixed seed; MNGR_MODEL_COMMANDS=500 is the whole one, of a random
// seed unless MNGR_MODEL_SEED names one. A seed gives the same commands and faults again.
func TestRandom(t *testing.T) {
	commands, seed := 60, 1
	if whole := os.Getenv("MNGR_MODEL_COMMANDS"); whole != "" {
		commands, seed = number(t, whole), rand.IntN(1_000_000)
	}
	if given := os.Getenv("MNGR_MODEL_SEED"); given != "" {
		seed = number(t, given)
	}
	fmt.Printf("model: seed %d, %d commands\n", seed, commands)
	s := NewScene(t, operators...)
	if err := s.Play(t.Context(), Batch{Commands: []Command{{Operator: operators[0], Verb: Prepare}}}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	given, hit := 0, 0
	for n := 0; given < commands; n++ {
		b := batches.Example(seed*1_000_000 + n)
		if os.Getenv("MNGR_MODEL_TRACE") != "" {
			fmt.Printf("%s batch %d\n%s", time.Since(began).Round(time.Millisecond), n, b)
		}
		if err := s.Play(t.Context(), b); err != nil {
			t.Fatalf("seed %d, batch %d, after %d commands:\n%s%v", seed, n, given, b, err)
		}
		given += len(b.Commands)
		if b.Fault != nil || b.Signal != nil {
			hit++
		}
	}
	fmt.Printf("model: %d commands of %d operators, %d batches with trouble, %s: they agree\n", given, len(operators), hit, time.Since(began).Round(time.Second))
	s.end(t)
}

func number(t *testing.T, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// end removes all hosts, and wants nothing to be billed and nothing to be left.
func (s *Scene) end(t *testing.T) {
	t.Helper()
	last := operators[len(operators)-1]
	for len(s.Worlds[0].Hosts) > 0 {
		b := Batch{Commands: []Command{{Operator: last, Verb: Destroy, Target: s.Worlds[0].Hosts[0].Name, ByHost: true, Force: true}}}
		if err := s.Play(t.Context(), b); err != nil {
			t.Fatalf("at the end:\n%s%v", b, err)
		}
	}
	for _, verb := range []Verb{GC, Cleanup} {
		if err := s.Play(t.Context(), Batch{Commands: []Command{{Operator: last, Verb: verb}}}); err != nil {
			t.Fatalf("at the end: %s: %v", verb, err)
		}
	}
	status, err := s.Azure.Status(t.Context())
	if err != nil || len(status.Billed) > 0 {
		t.Errorf("at the end this is billed: %+v, %v", status.Billed, err)
	}
	seen, err := s.look(t.Context())
	if err != nil || seen.Prepared || len(seen.Hosts)+len(seen.Stray)+len(seen.Loose) > 0 {
		t.Errorf("at the end this is left: %+v, %v", seen, err)
	}
}

var operators = []string{"ann", "bob", "cleo"}

// names are few, so that commands meet.
var names = []string{"ant", "bee", "cat", "dog", "elk"}

// wrong names are of nobody, or no names.
var wrong = []string{"nobody", "no body", "-x", "agent-0123456789abcdef0123456789abcdef"}

var verbs = weighted(map[Verb]int{
	Create: 20, Finish: 16, Label: 16, Rename: 5, RenameHost: 4, Stop: 10, Start: 8, Destroy: 9, GC: 5, Prepare: 3, Cleanup: 2,
})

// weighted deals the verbs out in turn: rapid prefers what stands at the beginning.
func weighted(weights map[Verb]int) []Verb {
	var all []Verb
	for left := true; left; {
		left = false
		for _, v := range []Verb{Finish, Label, Create, Stop, Start, RenameHost, Destroy, Rename, GC, Prepare, Cleanup} {
			if weights[v] > 0 {
				weights[v]--
				all, left = append(all, v), true
			}
		}
	}
	return all
}

var command = rapid.Custom(func(t *rapid.T) Command {
	c := Command{
		Operator: rapid.SampledFrom(operators).Draw(t, "operator"),
		Verb:     rapid.SampledFrom(verbs).Draw(t, "verb"),
		Target:   rapid.SampledFrom(names).Draw(t, "target"),
		Force:    true,
	}
	one := func(of int, what string) bool { return rapid.IntRange(1, of).Draw(t, what) == 1 }
	switch c.Verb {
	case Create:
		c.Argv = rapid.SampledFrom([]string{"true", "true", "true", "date"}).Draw(t, "argv")
		if one(4, "on a host of its own name") {
			c.Host = rapid.SampledFrom(names).Draw(t, "host")
		}
		if one(2, "with a label") {
			c.Key, c.Value = "team", rapid.SampledFrom([]string{"red", "blue"}).Draw(t, "team")
		}
	case Label:
		c.Key = rapid.SampledFrom([]string{"team", "x", "y"}).Draw(t, "key")
		c.Value = rapid.SampledFrom([]string{"", "1", "2", "ü \"3\""}).Draw(t, "value")
	case Rename, RenameHost:
		c.Name = rapid.SampledFrom(names).Draw(t, "name")
	case Stop, Destroy:
		c.ByHost = one(2, "by host")
		if c.Verb == Destroy {
			c.Force = !one(8, "unforced")
		} else {
			c.Force = false
		}
	case GC:
		c.Force = one(3, "forced")
	case Start:
		c.Force = false
	case Finish, Prepare, Cleanup:
	}
	if c.Verb != Finish && one(25, "wrong") {
		c.Target = rapid.SampledFrom(wrong).Draw(t, "wrong name")
	}
	return c
})

// operations are those that mngr asks for.
var operations = []string{
	"Microsoft.Compute/virtualMachines/write", "Microsoft.Compute/virtualMachines/write", "Microsoft.Compute/virtualMachines/delete",
	"Microsoft.Compute/virtualMachines/deallocate/action", "Microsoft.Compute/virtualMachines/start/action", "Microsoft.Compute/virtualMachines/read",
	"Microsoft.Resources/tags/write", "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete",
	"Microsoft.Network/*", "GET /subscriptions/*/operations/*", "*",
}

var fault = rapid.Custom(func(t *rapid.T) rig.Fault {
	f := rig.Fault{
		On:    rapid.SampledFrom(operations).Draw(t, "on"),
		Nth:   rapid.IntRange(1, 3).Draw(t, "nth"),
		Times: rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(t, "times"),
	}
	switch rapid.SampledFrom([]string{"429", "500", "409", "drop-before", "drop-after", "fails", "delay", "chance"}).Draw(t, "effect") {
	case "429":
		f.Effect, f.Status, f.RetryAfter = "status", 429, 1
	case "500":
		f.Effect, f.Status = "status", 500
	case "409":
		f.Effect, f.Status, f.Code = "status", 409, rapid.SampledFrom([]string{"Conflict", "ConflictingConcurrentWriteNotAllowed", "AnotherOperationInProgress"}).Draw(t, "code")
	case "drop-before":
		f.Effect = "drop-before"
	case "drop-after":
		f.Effect = "drop-after"
	case "fails":
		f.On = rapid.SampledFrom(operations[:6]).Draw(t, "operation")
		f.Effect, f.Code = "operation-fails", rapid.SampledFrom([]string{"AllocationFailed", "OperationPreempted", "InternalExecutionError"}).Draw(t, "code")
		f.Nth, f.Times = 1, 1
	case "delay":
		f.Effect, f.Delay = "delay", 0.4
	case "chance":
		f.Effect, f.Status, f.Chance, f.Seed, f.Nth, f.Times = "status", 503, 0.3, rapid.Uint64Range(1, 1000).Draw(t, "seed"), 0, 2
	}
	return f
})

// batches have one command in most cases, and trouble in every third.
var batches = rapid.Custom(func(t *rapid.T) Batch {
	size := rapid.SampledFrom([]int{1, 1, 1, 1, 1, 1, 2, 2, 2, 3}).Draw(t, "size")
	b := Batch{Commands: rapid.SliceOfN(command, size, size).Draw(t, "commands")}
	for n := range b.Commands {
		if size > 1 && b.Commands[n].Verb == Finish { // it is no process
			b.Commands[n].Verb, b.Commands[n].Key, b.Commands[n].Value = Label, "z", "1"
		}
	}
	switch rapid.SampledFrom([]string{"", "", "", "", "fault", "signal"}).Draw(t, "trouble") {
	case "fault":
		f := fault.Draw(t, "fault")
		b.Fault = &f
	case "signal":
		b.Signal = &Signal{
			Command: rapid.IntRange(0, size-1).Draw(t, "whom"),
			After:   time.Duration(rapid.IntRange(5, 400).Draw(t, "after")) * time.Millisecond,
			Kill:    rapid.Bool().Draw(t, "kill"),
		}
	}
	if b.Commands[0].Verb == Finish {
		b.Fault = nil // it would meet the test's own requests
	}
	return b
})
