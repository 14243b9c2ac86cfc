package fault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mngr/internal/azlocal/doc"
)

func call(operation, id string, body doc.Object) Call {
	return Call{Operation: operation, Resource: id, Body: body}
}

// TestTake counts which of ten equal calls each rule hits.
func TestTake(t *testing.T) {
	for name, c := range map[string]struct {
		rule Rule
		want string // x: hit
	}{
		"once":              {Rule{Times: 1}, "x........."},
		"third":             {Rule{Nth: 3, Times: 1}, "..x......."},
		"second, two times": {Rule{Nth: 2, Times: 2}, ".xx......."},
		"without end":       {Rule{Nth: 9}, "........xx"},
		"for four seconds":  {Rule{For: 4}, "xxxx......"},
	} {
		now := time.Unix(0, 0)
		book := NewBook(func() time.Time { return now })
		c.rule.On, c.rule.Effect, c.rule.Status = "*/write", Refuse, 409
		if _, err := book.Add(c.rule); err != nil {
			t.Fatal(err)
		}
		got := ""
		for range 10 {
			if book.Take(call("Microsoft.Compute/virtualMachines/write", "", nil)).Is(Refuse) {
				got += "x"
			} else {
				got += "."
			}
			now = now.Add(time.Second)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestMatches tries what narrows a rule down; each refusal has a match beside it.
func TestMatches(t *testing.T) {
	body := doc.Object{"location": "westus", "n": float64(3), "properties": map[string]any{"nics": []any{map[string]any{"name": "a"}}, "none": nil}}
	const id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/mngr-a"
	for _, c := range []struct {
		rule Rule
		want bool
	}{
		{Rule{On: "Microsoft.Compute/virtualMachines/write"}, true},
		{Rule{On: "MICROSOFT.COMPUTE/*"}, true},
		{Rule{On: "Microsoft.Compute/virtualMachines"}, false},
		{Rule{On: "*", Resource: "*/virtualmachines/mngr-*"}, true},
		{Rule{On: "*", Resource: "*/virtualmachines/other-*"}, false},
		{Rule{On: "*", Match: map[string]string{"location": "WestUS"}}, true},
		{Rule{On: "*", Match: map[string]string{"location": "westus", "n": "3"}}, true},
		{Rule{On: "*", Match: map[string]string{"location": "westus", "n": "4"}}, false},
		{Rule{On: "*", Match: map[string]string{"properties.nics.0.name": "a"}}, true},
		{Rule{On: "*", Match: map[string]string{"properties.nics.1.name": "*"}}, false},
		{Rule{On: "*", Match: map[string]string{"properties.none": "*"}}, false},
		{Rule{On: "*", Match: map[string]string{"properties": "*"}}, false},
	} {
		if got := c.rule.matches(call("Microsoft.Compute/virtualMachines/write", id, body)); got != c.want {
			t.Errorf("%+v matches: %v", c.rule, got)
		}
	}
	if (&Rule{On: "*", Match: map[string]string{"location": "*"}}).matches(call("x", "", nil)) {
		t.Error("a request without a body has a location")
	}
}

// TestFirstRuleTakesTheCall lets a rule that waits count a call and leave it to the next.
func TestFirstRuleTakesTheCall(t *testing.T) {
	book := NewBook(time.Now)
	for _, r := range []Rule{{Nth: 2, Times: 1, Code: "A"}, {Times: 1, Code: "B"}, {Code: "C"}} {
		r.On, r.Effect, r.Status = "*", Refuse, 500
		if _, err := book.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	got := ""
	for range 4 {
		got += book.Take(call("x", "", nil)).Refusal().Code
	}
	if got != "BACC" {
		t.Errorf("hits: %s", got)
	}
	first, _ := book.Remove("f3")
	second, _ := book.Remove("f3")
	if !first || second || book.Take(call("x", "", nil)) != nil {
		t.Error("a removed rule is not gone")
	}
}

// TestCheck refuses rules that make no sense, beside one that does.
func TestCheck(t *testing.T) {
	good := Rule{On: "*/write", Effect: Refuse, Status: 409, Code: "Conflict"}
	if err := good.Check(); err != nil || good.Nth != 1 {
		t.Fatalf("%v, %+v", err, good)
	}
	for name, r := range map[string]Rule{
		"no operation": {Effect: Refuse, Status: 409}, "status": {On: "*", Effect: Refuse, Status: 200}, "chance": {On: "*", Effect: Refuse, Status: 409, Chance: 1.5}, "page": {On: "*", Effect: DropAfter, HTML: true}, "no machine": {On: "entra:token", Effect: HangSSH},
		"effect": {On: "*"},
		"code":   {On: "*", Effect: Refuse, Status: 409, Code: "not a code"}, "no code": {On: "*", Effect: Fail}, "delay": {On: "*", Effect: Delay},
		"entra operation": {On: "entra:token", Effect: Fail, Code: "X"}, "imds throttle": {On: "imds:/x", Effect: Throttle}, "negative": {On: "*", Effect: Refuse, Status: 409, Times: -1},
	} {
		if r.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestChance hits about as often as it says, the same calls with the same seed, and goes on
// as before when the book was kept in a file meanwhile.
func TestChance(t *testing.T) {
	hits := func(seed uint64, restart bool) (out string) {
		path := filepath.Join(t.TempDir(), FileName)
		book := NewBook(time.Now)
		if err := book.Keep(path); err != nil {
			t.Fatal(err)
		}
		if _, err := book.Add(Rule{On: "*", Effect: Refuse, Status: 500, Chance: 0.3, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		for i := range 400 {
			if restart && i%100 == 17 {
				book = NewBook(time.Now)
				if err := book.Keep(path); err != nil {
					t.Fatal(err)
				}
			}
			if book.Take(call("x", "", nil)) != nil {
				out += "x"
			} else {
				out += "."
			}
		}
		if rule := book.List()[0]; rule.Seen != 400 || rule.Hits != strings.Count(out, "x") {
			t.Errorf("seen %d, hits %d", rule.Seen, rule.Hits)
		}
		return out
	}
	one := hits(1, false)
	if n := strings.Count(one, "x"); n < 85 || n > 155 {
		t.Errorf("%d of 400 hit", n)
	}
	if hits(1, true) != one {
		t.Error("a restart made chance choose otherwise")
	}
	if hits(2, false) == one {
		t.Error("another seed chose the same")
	}
}

// TestKept finds rules again, gives new ones other ids, and forgets what was removed.
func TestKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	book := NewBook(time.Now)
	again := func() {
		t.Helper()
		book = NewBook(time.Now)
		if err := book.Keep(path); err != nil {
			t.Fatal(err)
		}
	}
	again()
	for range 2 {
		if _, err := book.Add(Rule{On: "x", Match: map[string]string{"a": "b"}, Effect: Delay, Wait: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := book.Remove("f1"); err != nil {
		t.Fatal(err)
	}
	again()
	added, err := book.Add(Rule{On: "y", Effect: DropBefore})
	if all := book.List(); err != nil || len(all) != 2 || all[0].ID != "f2" || all[0].Match["a"] != "b" || added.ID != "f3" {
		t.Fatalf("%v, %v", all, err)
	}
	if _, err := book.Clear(); err != nil {
		t.Fatal(err)
	}
	again()
	if len(book.List()) != 0 {
		t.Error("cleared rules came back")
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if NewBook(time.Now).Keep(path) == nil {
		t.Error("a broken file was taken")
	}
}

// TestWhatCannotBe leaves calls alone that have no answer to cut and no machine to kill.
func TestWhatCannotBe(t *testing.T) {
	part := Call{Operation: "Microsoft.Compute/disks/delete", Part: true}
	for _, c := range []struct {
		rule Rule
		call Call
		want bool
	}{
		{Rule{Effect: DropAfter}, part, false},
		{Rule{Effect: KillMachine}, part, false},
		{Rule{Effect: Refuse}, part, true},
		{Rule{Effect: Delay}, part, true},
		{Rule{Effect: DropAfter}, call(EntraToken, "", nil), true},
		{Rule{Effect: EvictMachine}, call(EntraToken, "", nil), false},
		{Rule{Effect: Refuse, Parts: true}, part, true},
		{Rule{Effect: Refuse, Parts: true}, call(part.Operation, "", nil), false},
	} {
		c.rule.On = "*"
		if c.rule.matches(c.call) != c.want {
			t.Errorf("%+v and %+v: %v", c.rule, c.call, !c.want)
		}
	}
}
