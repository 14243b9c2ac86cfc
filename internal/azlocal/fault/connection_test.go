package fault

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestConnections counts which of ten connections each rule hits; others are not calls.
func TestConnections(t *testing.T) {
	for name, c := range map[string]struct {
		rule Rule
		want string // x: hit
	}{
		"once":      {Rule{On: "tcp:22", Effect: RefuseConnection, Times: 1}, "x........."},
		"third":     {Rule{On: "TCP:22", Effect: CutConnection, Nth: 3, Times: 2}, "..xx......"},
		"all ports": {Rule{On: "tcp:*", Effect: HangConnection}, "xxxxxxxxxx"},
		"other":     {Rule{On: "tcp:2222", Effect: HangConnection}, ".........."},
		"requests":  {Rule{On: "*", Effect: Refuse, Status: 500}, ".........."},
		"resource":  {Rule{On: "tcp:22", Resource: "*/mngr-b", Effect: CutConnection}, ".........."},
	} {
		book := NewBook(time.Now)
		if _, err := book.Add(c.rule); err != nil {
			t.Fatal(err)
		}
		book.Take(call("Microsoft.Compute/virtualMachines/write", "", nil))
		got := ""
		for range 10 {
			l := book.Connect(call("tcp:22", "/vms/mngr-a", nil), nil)
			if l.Hit() != nil {
				got += "x"
			} else {
				got += "."
			}
			l.Close()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestOpenConnections lets a rule hit those that are open, oldest first, and then the next.
func TestOpenConnections(t *testing.T) {
	book := NewBook(time.Now)
	cut := make(chan int, 9)
	connect := func(n int) *Line { return book.Connect(call("tcp:22", "", nil), func() { cut <- n }) }
	gone, first, second := connect(0), connect(1), connect(2)
	gone.Close()
	if _, err := book.Add(Rule{On: "tcp:22", Effect: CutConnection, Now: true, Nth: 2, Times: 2}); err != nil {
		t.Fatal(err)
	}
	third, fourth := connect(3), connect(4)
	if first.Hit() != nil || second.Hit() == nil || third.Hit() == nil || fourth.Hit() != nil {
		t.Errorf("hit: %v, %v, %v, %v", first.Hit(), second.Hit(), third.Hit(), fourth.Hit())
	}
	if n := <-cut; n != 2 || len(cut) > 0 {
		t.Errorf("%d was cut, and %d more", n, len(cut))
	}
	if n, err := first.Pass(t.Context(), 100); n != 100 || err != nil {
		t.Fatalf("passed %d, %v", n, err)
	}
	if _, err := book.Add(Rule{On: "tcp:22", Effect: CutConnection, Now: true, After: 7, Times: 1}); err != nil {
		t.Fatal(err)
	}
	if n, err := first.Pass(t.Context(), 100); n != 7 || err != nil {
		t.Errorf("of what passes after the rule was added: %d, %v", n, err)
	}
	for want, l := range map[error]*Line{nil: fourth, ErrCut: third, ErrClosed: gone} {
		if _, err := l.Pass(t.Context(), 1); !errors.Is(err, want) {
			t.Errorf("pass: %v, want %v", err, want)
		}
	}
}

// TestHangsForATime passes what there is room for, and the rest when the rule's time is
// over or the rule is gone.
func TestHangsForATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := NewBook(time.Now)
		rule, err := book.Add(Rule{On: "tcp:22", Effect: HangConnection, After: 3, For: 60})
		if err != nil {
			t.Fatal(err)
		}
		l := book.Connect(call("tcp:22", "", nil), nil)
		began := time.Now()
		for i, want := range []int{2, 1, 4} {
			if n, err := l.Pass(t.Context(), min(2+2*i, 4)); n != want || err != nil {
				t.Fatalf("pass %d: %d, %v", i, n, err)
			}
		}
		if took := time.Since(began); took != time.Minute || l.Passed() != 7 {
			t.Errorf("%d bytes in %s", l.Passed(), took)
		}
		if _, err := book.Remove(rule.ID); err != nil {
			t.Fatal(err)
		}

		rule, err = book.Add(Rule{On: "tcp:22", Effect: HangConnection, Now: true})
		if err != nil {
			t.Fatal(err)
		}
		passed := make(chan error, 2)
		pass := func() { _, err := l.Pass(t.Context(), 1); passed <- err }
		go pass()
		synctest.Wait()
		if len(passed) > 0 {
			t.Error("a byte passed")
		}
		if _, err := book.Remove(rule.ID); err != nil {
			t.Fatal(err)
		}
		if err := <-passed; err != nil {
			t.Error(err)
		}
		if _, err := book.Add(rule); err != nil {
			t.Fatal(err)
		}
		go pass()
		synctest.Wait()
		l.Close()
		if err := <-passed; !errors.Is(err, ErrClosed) {
			t.Errorf("one that has ended: %v", err)
		}
	})
}

// TestCheckConnections refuses what a connection cannot meet, beside what it can.
func TestCheckConnections(t *testing.T) {
	for _, good := range []Rule{
		{On: "tcp:22", Effect: RefuseConnection}, {On: "tcp:*", Effect: CutConnection, After: 9, Now: true}, {On: "TCP:65535", Effect: HangConnection, Chance: 0.5, For: 3},
	} {
		if err := good.Check(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for name, r := range map[string]Rule{
		"no port": {On: "tcp:", Effect: CutConnection}, "port": {On: "tcp:65536", Effect: CutConnection}, "pattern": {On: "tcp:2*", Effect: CutConnection},
		"zero": {On: "tcp:0", Effect: CutConnection}, "effect": {On: "tcp:22", Effect: DropAfter}, "status": {On: "tcp:22", Effect: CutConnection, Status: 500},
		"refused late": {On: "tcp:22", Effect: RefuseConnection, After: 1}, "refused now": {On: "tcp:22", Effect: RefuseConnection, Now: true},
		"negative": {On: "tcp:22", Effect: CutConnection, After: -1}, "body": {On: "tcp:22", Effect: CutConnection, Match: map[string]string{"a": "b"}},
		"request": {On: "*", Effect: CutConnection}, "request after": {On: "*", Effect: DropAfter, After: 3}, "request now": {On: "*", Effect: DropAfter, Now: true},
	} {
		if r.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
