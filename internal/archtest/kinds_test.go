package archtest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	kindName   = regexp.MustCompile(`(?m)^\tKind[A-Z]`)
	kindRow    = regexp.MustCompile(`(?m)^\tKind\w+\s+Kind = "(\w+)"`)
	classWords = regexp.MustCompile("(?s)`error_class` is one of: (.*?)\\.\n")
)

// TestErrorClassesAreDocumented holds the closed list of docs/cli.md to the kinds of errors.
func TestErrorClassesAreDocumented(t *testing.T) {
	code := read(t, "internal/agent/errors.go")
	var kinds []string
	for _, row := range kindRow.FindAllStringSubmatch(code, -1) {
		kinds = append(kinds, row[1])
	}
	if n := len(kindName.FindAllString(code, -1)); len(kinds) != n || n < 10 {
		t.Fatalf("%d of %d kinds have a word", len(kinds), n)
	}
	list := classWords.FindStringSubmatch(read(t, "docs/cli.md"))
	if list == nil {
		t.Fatal("docs/cli.md does not list the values of error_class")
	}
	documented := strings.Split(strings.Join(strings.Fields(list[1]), " "), ", ")
	if !slices.Equal(documented, kinds) {
		t.Errorf("error_class in docs/cli.md: %q\nkinds in internal/agent/errors.go: %q", documented, kinds)
	}
}
