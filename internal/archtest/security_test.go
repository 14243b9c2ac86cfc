package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// securityPage says what holds, and by which test.
const securityPage = "SECURITY.md"

// leastGuarantees is how many rows its table must have at least.
const leastGuarantees = 12

var testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)

// TestSecurityPage holds what the page promises to tests that exist: functions by their
// names, scripts by their files'.
func TestSecurityPage(t *testing.T) {
	root := filepath.Join("..", "..")
	known := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, s.file))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range testFunction.FindAllStringSubmatch(string(text), -1) {
			known[found[1]] = true
		}
	}
	scripts, err := filepath.Glob(filepath.Join(root, "e2e", "testdata", "*", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		known[strings.TrimSuffix(filepath.Base(script), ".txtar")] = true
	}
	page, err := os.ReadFile(filepath.Join(root, securityPage))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## What holds\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || strings.Contains(cells[0], "---") || strings.TrimSpace(cells[2]) == "test" {
			continue
		}
		rows++
		names := backticked.FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 {
			t.Errorf("nothing proves: %s", line)
		}
		for _, name := range names {
			if !known[name[1]] {
				t.Errorf("no test is called %s, which is to prove: %s", name[1], cells[0])
			}
		}
	}
	if rows < leastGuarantees {
		t.Errorf("%s has %d guarantees, want at least %d", securityPage, rows, leastGuarantees)
	}
}
