package agent

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseAddress(t *testing.T) {
	tests := []struct {
		in   string
		want Address
		ok   bool
	}{
		{"a", Address{Agent: "a"}, true},
		{"my-agent_2", Address{Agent: "my-agent_2"}, true},
		{"a@h", Address{Agent: "a", Host: "h"}, true},
		{"a@h.p", Address{Agent: "a", Host: "h", Provider: "p"}, true},
		{"a@.p", Address{Agent: "a", Provider: "p"}, true},
		{"", Address{}, false},
		{"a@", Address{}, false},
		{"a@.", Address{}, false},
		{"-a", Address{}, false},
		{"a/b", Address{}, false},
		{"a@h.p.q", Address{}, false},
		{"a b", Address{}, false},
		{"ä", Address{}, false},
		{strings.Repeat("a", 64), Address{}, false},
		{strings.Repeat("a", 63), Address{Agent: strings.Repeat("a", 63)}, true},
	}
	for _, tt := range tests {
		got, err := ParseAddress(tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("ParseAddress(%q) error = %v, want ok %v", tt.in, err, tt.ok)
			continue
		}
		if err != nil {
			if KindOf(err) != KindUsage {
				t.Errorf("ParseAddress(%q) kind = %s, want usage", tt.in, KindOf(err))
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("ParseAddress(%q): %s", tt.in, diff)
		}
	}
}

// What String prints, ParseAddress reads back: list's addresses go into any command.
func TestAddressRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[a-zA-Z0-9]([a-zA-Z0-9_-]{0,20}[a-zA-Z0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		a := Address{Agent: name.Draw(t, "agent")}
		if rapid.Bool().Draw(t, "located") {
			a.Host = name.Draw(t, "host")
			if rapid.Bool().Draw(t, "provided") {
				a.Provider = name.Draw(t, "provider")
			}
		}
		got, err := ParseAddress(a.String())
		if err != nil || got != a {
			t.Fatalf("ParseAddress(%q) = %v, %v", a.String(), got, err)
		}
	})
}

func TestErrorKindsSurviveWrapping(t *testing.T) {
	inner := Errorf(KindQuota, "no cores left").WithHint("az vm list-usage")
	outer := Errorf(KindRemains, "undo: %w", inner)
	if KindOf(outer) != KindRemains {
		t.Errorf("KindOf = %s, want the outer kind", KindOf(outer))
	}
	if HintOf(outer) != "az vm list-usage" {
		t.Errorf("HintOf = %q, want the inner hint", HintOf(outer))
	}
}
