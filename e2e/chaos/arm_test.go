package chaos

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// update writes testdata/pairs.txt anew: read the difference, for each new line is a request
// that nobody has looked at.
var update = flag.Bool("update", false, "write the pairs of command and operation anew")

// leastPairs is how many pairs of command and operation there must be.
const leastPairs = 45

// TestARM lets trouble come to the requests that writing commands send to ARM: to a spread
// choice of them, with CHAOS=all to all, with CASE=COMMAND to those of one command, with
// CASE=COMMAND/OPERATION#N/TROUBLE/WAY, as failures print it, to one, or to those whose
// names begin so.
func TestARM(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: strangers answer at SSH ports")
	}
	began := time.Now()
	workers := 3 * runtime.NumCPU()
	if whole() {
		workers = 8 * runtime.NumCPU() // attempts wait more than they work, and making a world is work
	}
	a := &arena{t: t, workers: workers, table: &Table{}, hit: map[string]bool{}}
	only := os.Getenv("CASE")
	all := verbs()
	if command, _, _ := strings.Cut(only, "/"); only != "" {
		all = slices.DeleteFunc(all, func(v verb) bool { return v.name != command })
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
	if only == "" {
		checkPairs(t, a.table)
	}
	if *update {
		return
	}
	attempts := plan(all, calls)
	switch {
	case strings.Contains(only, "/"):
		attempts = matching(attempts, only)
	case only == "" && os.Getenv("CHAOS") != "all":
		attempts = bounded(attempts)
	}
	t.Logf("%d commands recorded in %s; %d attempts", len(all), time.Since(began).Round(time.Second), len(attempts))
	a.run(t.Context(), attempts)
	if err := a.table.Print(os.Stdout); err != nil {
		t.Error(err)
	}
	t.Logf("%d attempts, %d with harm, in %s", len(attempts), a.failed, time.Since(began).Round(time.Second))
	for _, one := range attempts {
		if !a.hit[one.point()] {
			t.Errorf("%s was not hit", one.point())
		}
	}
}

// checkPairs wants the recorded pairs of command and operation to be those of the file: a
// call that no line covers is one that nobody has thought about.
func checkPairs(t *testing.T, table *Table) {
	t.Helper()
	var lines strings.Builder
	for _, r := range table.Rows() {
		lines.WriteString(r.Command + " " + r.Operation + "\n")
	}
	file := filepath.Join("testdata", "pairs.txt")
	if *update {
		if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(lines.String(), "\n")); diff != "" {
		t.Errorf("the calls are not those of %s (-file +recorded); go test ./e2e/chaos -update writes it anew\n%s", file, diff)
	}
	if n := len(table.Rows()); n < leastPairs {
		t.Errorf("%d pairs of command and operation, want at least %d", n, leastPairs)
	}
}
