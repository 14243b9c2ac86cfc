package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// leastPromises is how many rows the page must have at least.
const leastPromises = 40

// conformancePage is the users' page with the table of promises.
const conformancePage = "docs/azure.md"

// promise is one row of the conformance table.
type promise struct {
	number string
	line   string
	tests  []string // "path.txtar", or "package directory:TestName"
	fall   string   // how the tests were once made to fail
}

// TestConformance holds the table of promises to the tests that exist: a row whose test was
// renamed or removed proves nothing.
func TestConformance(t *testing.T) {
	root := filepath.Join("..", "..")
	rows := promises(t, filepath.Join(root, conformancePage))
	if len(rows) < leastPromises {
		t.Errorf("%s has %d promises, want at least %d", conformancePage, len(rows), leastPromises)
	}
	for i, row := range rows {
		if want := strconv.Itoa(i + 1); row.number != want {
			t.Errorf("number %s where %s should be: %s", row.number, want, row.line)
		}
		if len(row.tests) == 0 || len(row.fall) < 10 {
			t.Errorf("a promise without a test, or without how it was made to fail: %s", row.line)
		}
		for _, ref := range row.tests {
			if problem := missing(root, ref); problem != "" {
				t.Errorf("%s: %s", ref, problem)
			}
		}
	}
}

var backticked = regexp.MustCompile("`([^`]+)`")

// promises reads the table under the heading "Conformance": promise, tests, how they fell.
func promises(t *testing.T, path string) []promise {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## Conformance\n")
	if !found {
		t.Fatalf("%s has no section Conformance", conformancePage)
	}
	var rows []promise
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 6 || strings.Trim(cells[1], " -") == "" || strings.TrimSpace(cells[1]) == "#" {
			continue
		}
		row := promise{number: strings.TrimSpace(cells[1]), line: line, fall: strings.TrimSpace(cells[4])}
		for _, m := range backticked.FindAllStringSubmatch(cells[3], -1) {
			row.tests = append(row.tests, m[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// missing says what is wrong with a reference to a test; "" when it exists.
func missing(root, ref string) string {
	if strings.HasSuffix(ref, ".txtar") {
		if info, err := os.Stat(filepath.Join(root, ref)); err != nil || info.Size() == 0 {
			return "there is no such script"
		}
		return ""
	}
	dir, name, ok := strings.Cut(ref, ":")
	if !ok {
		return "neither a script nor DIRECTORY:TestName"
	}
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		return "the directory has no tests"
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(source), "\nfunc "+name+"(") {
			return ""
		}
	}
	return "there is no such test"
}
