package output

import (
	"slices"
	"strings"
	"testing"

	"mngr/internal/agent"
)

func TestTemplate(t *testing.T) {
	row := map[string]any{
		"name": "a\x1b[2J", "n": int64(3), "f": 1.5, "none": nil, "yes": true,
		"labels": map[string]any{"b": "2", "a": "1"}, "list": []any{"x", "y"},
	}
	for text, want := range map[string]string{
		`{name}`:                  `a\x1b[2J`,
		`{n}\t{f}\n{yes}`:         "3\t1.5\ntrue",
		`[{none}]{missing}`:       "[]",
		`{labels}; {list}`:        "a=1, b=2; x, y",
		`{{{n}}} C:\\dir \q {{}}`: `{3} C:\dir \q {}`,
		`{labels.x}{n}`:           "3",
	} {
		tpl, err := ParseTemplate(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := tpl.Execute(func(f string) any { return row[f] }); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	tpl, err := ParseTemplate("{a} {b.c} {a}")
	if got := tpl.Fields(); err != nil || !slices.Equal(got, []string{"a", "b.c", "a"}) {
		t.Errorf("fields %v, %v", got, err)
	}
	for _, bad := range []string{"{", "{name", "name}", "{}", "{a b}", "{a{b}", "{name} }"} {
		if _, err := ParseTemplate(bad); agent.KindOf(err) != agent.KindUsage {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(`{name}\t{{x}}`, "v")
	f.Fuzz(func(t *testing.T, text, value string) {
		tpl, err := ParseTemplate(text)
		if err != nil {
			return
		}
		got := tpl.Execute(func(string) any { return value })
		if len(tpl.Fields()) > 0 && strings.Contains(value, "\x1b") && !strings.Contains(text, "\x1b") && strings.Contains(got, "\x1b") {
			t.Fatalf("%q of %q is %q", text, value, got)
		}
	})
}
