package fabric

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"mngr/internal/azlocal/throttle"
)

var update = flag.Bool("update", false, "rewrite the tables in docs/azlocal.md")

// TestTables holds the tables of the documentation to those of the code.
func TestTables(t *testing.T) {
	var durations, limits strings.Builder
	durations.WriteString("\n| key | time | instant | realistic | source of the realistic value |\n|---|---|---|---|---|\n")
	for _, d := range Durations() {
		fmt.Fprintf(&durations, "| `%s` | %s | %s | %s | %s |\n", d.Name, d.Meaning, d.Instant, d.Realistic, d.Source)
	}
	limits.WriteString("\n| key | what is counted | size | comes back | source |\n|---|---|---|---|---|\n")
	for _, p := range throttle.Policies() {
		fmt.Fprintf(&limits, "| `%s%s` | %s | %d | %d every %s | %s |\n", throttle.Prefix, p.Name, p.Meaning, p.Limit.Size, p.Limit.Refill, p.Limit.Per, p.Source)
	}
	hold(t, "durations", durations.String()+"\n")
	hold(t, "limits", limits.String()+"\n")
}

// hold compares a part of the page, between comments that name it, or rewrites it.
func hold(t *testing.T, name, want string) {
	t.Helper()
	const page = "../../../docs/azlocal.md"
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	shown, tail, found := strings.Cut(rest, end)
	switch {
	case !ok || !found:
		t.Fatalf("%s has no place for %s", page, name)
	case shown == want:
	case *update:
		if err := os.WriteFile(page, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s differs from the code; run this test with -update:\n%s", page, want)
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
