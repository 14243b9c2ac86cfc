package filter

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mngr/internal/agent"
)

type sample struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Count  *int              `json:"count"`
	Host   struct {
		State string            `json:"state"`
		Since *time.Time        `json:"since"`
		Tags  map[string]string `json:"tags"`
		Idle  *struct {
			Left *int `json:"left"`
		} `json:"idle"`
		Agents []string `json:"agents"`
	} `json:"host"`
}

var schema = SchemaOf(sample{}, "age")

func row(t *testing.T, change func(*sample)) Row {
	t.Helper()
	s := sample{Name: "a", Labels: map[string]string{"team": "x", "a.b": "dotted"}}
	s.Host.State, s.Host.Agents = "RUNNING", []string{"a", "b"}
	if change != nil {
		change(&s)
	}
	r, err := RowOf(s)
	if err != nil {
		t.Fatal(err)
	}
	r["age"] = int64(90)
	return r
}

func TestMatch(t *testing.T) {
	counted := row(t, func(s *sample) {
		s.Count = new(7)
		s.Host.Idle = &struct {
			Left *int `json:"left"`
		}{new(30)}
	})
	for _, c := range []struct {
		text string
		row  Row
		want bool
	}{
		{`name == "a"`, counted, true},
		{`name == "b" || host.state == "RUNNING"`, counted, true},
		{`host.state in ["STOPPED", "FAILED"]`, counted, false},
		{`name.startsWith("a") && age > 60`, counted, true},
		{`count >= 7 && count < 7.5`, counted, true},
		{`labels.team == "x"`, counted, true},
		{`labels["a.b"] == "dotted"`, counted, true},
		{`host.idle.left < 60`, counted, true},
		{`"b" in host.agents && size(host.agents) == 2`, counted, true},
		{`has(labels.team)`, counted, true},
		// What a row lacks fulfils nothing, quietly.
		{`has(labels.other)`, counted, false},
		{`labels.other == "x"`, counted, false},
		{`host.tags.owner == "bob"`, counted, false},
		{`count > 0`, row(t, nil), false},
		{`host.idle.left < 60`, row(t, nil), false},
		{`has(host.idle)`, row(t, nil), false},
	} {
		x, err := NewCompiler(schema).Compile(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, err := x.Match(c.row); got != c.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", c.text, got, err, c.want)
		}
	}
	x, err := NewCompiler(schema).Compile(`name > 5`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Match(counted); err == nil || !strings.Contains(err.Error(), "name > 5") {
		t.Errorf("a comparison of text and number: %v", err)
	}
}

func TestBadExpressionsAreRefused(t *testing.T) {
	for _, text := range []string{"", "name ==", "nonsense", `bogus == "x"`, `host.bogus == "x"`, `has(host.bogus)`, `host.idle.bogus > 1`, `1 + 1`, `"x"`, strings.Repeat("(", 5000)} {
		_, err := NewCompiler(schema).Compile(text)
		if agent.KindOf(err) != agent.KindUsage || !strings.Contains(agent.HintOf(err), "labels.KEY") {
			t.Errorf("%.40s: %v (%s)", text, err, agent.HintOf(err))
		}
	}
}

func TestSchema(t *testing.T) {
	want := []string{"name", "labels", "labels.KEY", "count", "host", "host.state", "host.since", "host.tags", "host.tags.KEY", "host.idle", "host.idle.left", "host.agents", "age"}
	if diff := cmp.Diff(want, schema.Names()); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]bool{"name": true, "labels.x.y": true, "host.tags.x": true, "labels.": false, "host.": false, "": false, "host.since.x": false, "nam": false} {
		if schema.Has(path) != want {
			t.Errorf("Has(%q) = %v", path, !want)
		}
	}
	if err := schema.Check("name", "nope"); agent.KindOf(err) != agent.KindUsage || !strings.Contains(err.Error(), "nope") {
		t.Errorf("Check: %v", err)
	}
}

func TestProject(t *testing.T) {
	got := row(t, nil).Project(schema, []string{"host.state", "labels.a.b", "count", "name", "host.idle.left"})
	want := map[string]any{
		"name": "a", "count": nil, "labels": map[string]any{"a.b": "dotted"},
		"host": map[string]any{"state": "RUNNING", "idle": map[string]any{"left": nil}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// An object and a part of it.
	whole := row(t, nil).Project(schema, []string{"host", "host.state"})
	if diff := cmp.Diff(row(t, nil)["host"], whole["host"]); diff != "" {
		t.Error(diff)
	}
}

func TestOrder(t *testing.T) {
	rows := []Row{
		{"name": "b", "count": int64(10)}, {"name": "a", "count": int64(9)}, {"name": "c"}, {"name": "d", "count": "text"}, {"name": "e", "count": 9.5},
	}
	for text, want := range map[string]string{"name": "abcde", "name desc": "edcba", "count": "aebdc", "count desc": "dbeac", "count desc, name": "dbeac"} {
		o, err := ParseOrder(schema, text)
		if err != nil {
			t.Fatal(err)
		}
		sorted := slices.SortedStableFunc(slices.Values(rows), o.Compare)
		var got string
		for _, r := range sorted {
			got += r["name"].(string)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for _, bad := range []string{"", "nope", "name up", "name asc desc", "name,"} {
		if _, err := ParseOrder(schema, bad); agent.KindOf(err) != agent.KindUsage {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Any order is one: sorting never depends on where rows stood before.
func TestOrderIsTotal(t *testing.T) {
	value := rapid.OneOf(rapid.Just[any](nil), rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64Range(-9, 9), func(f float64) any { return f }), rapid.Map(rapid.String(), func(s string) any { return s }), rapid.Just[any](true))
	rapid.Check(t, func(t *rapid.T) {
		o := Order{{"count", rapid.Bool().Draw(t, "down")}}
		a, b, c := Row{"count": value.Draw(t, "a")}, Row{"count": value.Draw(t, "b")}, Row{"count": value.Draw(t, "c")}
		if o.Compare(a, b) != -o.Compare(b, a) {
			t.Fatal("not antisymmetric")
		}
		if o.Compare(a, b) <= 0 && o.Compare(b, c) <= 0 && o.Compare(a, c) > 0 {
			t.Fatal("not transitive")
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`name == "a"`, `has(labels.x)`, `host.idle.left < 1 ? true : false`, `[1].all(x, x > 0)`, "\x00", `name.matches("(")`} {
		f.Add(s)
	}
	r := Row{"name": "a", "labels": map[string]any{}, "host": map[string]any{}}
	f.Fuzz(func(t *testing.T, text string) {
		if x, err := NewCompiler(schema).Compile(text); err == nil {
			_, _ = x.Match(r)
		} else if agent.KindOf(err) != agent.KindUsage {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
