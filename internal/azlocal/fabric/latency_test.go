package fabric

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the table in docs/azlocal.md")

// TestTableOfDurations holds the table of the documentation to the code's.
func TestTableOfDurations(t *testing.T) {
	const page, begin, end = "../../../docs/azlocal.md", "<!-- durations: begin -->\n", "<!-- durations: end -->"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	shown, tail, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatalf("%s has no place for the table", page)
	}
	var want strings.Builder
	want.WriteString("\n| key | time | instant | realistic | source of the realistic value |\n|---|---|---|---|---|\n")
	for _, d := range Durations() {
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s | %s |\n", d.Name, d.Meaning, d.Instant, d.Realistic, d.Source)
	}
	want.WriteString("\n")
	switch {
	case shown == want.String():
	case *update:
		if err := os.WriteFile(page, []byte(head+begin+want.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s differs from Durations(); run this test with -update:\n%s", page, want.String())
	}
}

// TestProfiles wants every duration to have a name of its own and a source, and the
// realistic profile never to be the faster one.
func TestProfiles(t *testing.T) {
	names := map[string]bool{}
	for _, d := range Durations() {
		if names[d.Name] || d.Source == "" || d.Realistic < d.Instant && d.Name != RetryAfter {
			t.Errorf("%+v", d)
		}
		names[d.Name] = true
	}
	if p, err := ParseProfile(""); err != nil || p != Instant {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := ParseProfile("quick"); err == nil {
		t.Error("a profile that is none")
	}
	if d := Durations()[0]; d.In(Realistic) != 90*time.Second || d.In(Instant) != 50*time.Millisecond {
		t.Errorf("%+v", d)
	}
}
