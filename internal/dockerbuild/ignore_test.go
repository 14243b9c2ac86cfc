package dockerbuild

import (
	"strings"
	"testing"
)

func TestExcludes(t *testing.T) {
	tests := []struct {
		rules string // separated by blanks
		name  string
		want  bool
	}{
		{"", "a", false},
		{"a", "a", true},
		{"a", "a/b", true},
		{"a", "b/a", false},
		{"/a", "a", true},
		{"./a/", "a", true},
		{"a/../b", "b", true},
		{"*", "a/b", true},
		{"*.md", "a.md", true},
		{"*.md", "a/b.md", false},
		{"*/b", "a/b", true},
		{"*/b", "b", false},
		{"**/b", "b", true},
		{"**/b", "a/c/b/d", true},
		{"**/*.go", "a/b/c.go", true},
		{"**/*.go", "c.go", true},
		{"a/**", "a", false},
		{"a/**", "a/b/c", true},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a?", "ab", true},
		{"a?", "a/", false},
		{"[ab]c", "bc", true},
		{"[^ab]c", "bc", false},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{"a.c", "abc", false},
		{"a+b", "aab", false},
		{"**b", "ab", true}, // as docker has it

		{"*.md !README.md", "README.md", false},
		{"*.md !README.md", "a.md", true},
		{"*.md !README*.md README-secret.md", "README-secret.md", true},
		{"a !a/b", "a/b", false},
		{"a !a/b", "a/b/c", false},
		{"a !a/b", "a/c", true},
		{"* !**/x", "a/x", false},
	}
	for _, test := range tests {
		rules, err := ParseIgnore([]byte(strings.ReplaceAll(test.rules, " ", "\n")))
		if err != nil {
			t.Errorf("%s: %v", test.rules, err)
			continue
		}
		if got := rules.Excludes(test.name); got != test.want {
			t.Errorf("%q excludes %q: %v, want %v", test.rules, test.name, got, test.want)
		}
	}
}

func TestParseIgnore(t *testing.T) {
	rules, err := ParseIgnore([]byte("\xef\xbb\xbf# comment\n\n  a  \r\n ! b\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !rules.Excludes("a") || rules.Excludes("# comment") || rules.SkipsBelow() {
		t.Errorf("got %+v", rules)
	}
	for _, bad := range []string{"!", "a[", `a\`, "[", "ok\n[z-a]"} {
		if _, err := ParseIgnore([]byte(bad)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// No file of rules breaks the reader; what a directory's rule excludes stays excluded below,
// unless there are exceptions.
func FuzzDockerignore(f *testing.F) {
	f.Add("*.md\n!a/**\n[a-c]?", "a/b.md")
	f.Add("**/x\n\\*\n!/", "x")
	f.Add("/!a\n***\n[[:x]", "a/b/c")
	f.Fuzz(func(t *testing.T, content, name string) {
		rules, err := ParseIgnore([]byte(content))
		if err != nil || name == "" || strings.HasPrefix(name, "/") || strings.Contains(name, "//") {
			return
		}
		if rules.Excludes(name) && rules.SkipsBelow() && !rules.Excludes(name+"/below") {
			t.Errorf("%q excludes %q, but not what is below", content, name)
		}
	})
}
