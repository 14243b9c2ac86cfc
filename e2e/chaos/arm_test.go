package chaos

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// least is how many pairs of command and operation there must be.
const least = 45

// TestARM lets trouble come to the requests that writing commands send to ARM: to some of
// them, to all with CHAOS=all, or with CASE= to those whose names begin so.
func TestARM(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("who answers at SSH ports must be root")
	}
	began := time.Now()
	a := &arena{t: t, workers: 3 * runtime.NumCPU(), table: &Table{}, hit: map[string]bool{}}
	only, whole := os.Getenv("CASE"), os.Getenv("CHAOS") == "all"
	all := verbs()
	if only != "" {
		all = slices.DeleteFunc(all, func(v verb) bool { return v.name != strings.SplitN(only, "/", 2)[0] })
	}
	calls := a.record(t.Context(), all)
	for _, v := range all {
		for _, c := range calls[v.name] {
			a.table.Calls(v.name, c.operation, c.nth)
		}
	}
	if t.Failed() {
		return
	}
	t.Logf("%d commands recorded in %s", len(all), time.Since(began).Round(time.Second))
	attempts := plan(all, calls)
	switch {
	case strings.Contains(only, "/"):
		attempts = matching(attempts, only)
	case only == "" && !whole:
		attempts = bounded(attempts)
	}
	t.Logf("%d attempts", len(attempts))
	a.run(t.Context(), attempts)
	if err := a.table.Print(os.Stdout); err != nil {
		t.Error(err)
	}
	t.Logf("%d attempts, %d with harm, in %s", len(attempts), a.failed, time.Since(began).Round(time.Second))
	if rows := a.table.Rows(); only == "" && len(rows) < least {
		t.Errorf("%d pairs of command and operation, want at least %d", len(rows), least)
	}
	for _, one := range attempts {
		if !a.hit[one.point()] {
			t.Errorf("%s was not hit", one.point())
		}
	}
}
