package archtest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePath = "mngr"

// source is one Go file of the module.
type source struct {
	file    string // relative to the module, with slashes
	pkg     string // its directory
	name    string // of the package
	doc     string // package comment
	imports []string
	test    bool
	lines   int
}

// foreign tells whether the go command does not look into a directory either.
func foreign(name string) bool {
	return name == "testdata" || name == "dist" || strings.HasPrefix(name, ".")
}

// isModule tells whether a directory is a module of its own, which can import nothing
// internal of ours.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// sources parses the head of every Go file below the module's root, whatever its build
// constraints.
func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	var all []source
	err := filepath.WalkDir(root, func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(p, root+string(filepath.Separator)))
		if entry.IsDir() {
			if p != root && (foreign(entry.Name()) || isModule(p)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		s, err := parse(p, rel)
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found %d Go files only: is the root %s right?", len(all), root)
	}
	return all
}

func parse(file, rel string) (source, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return source{}, err
	}
	f, err := parser.ParseFile(token.NewFileSet(), rel, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	s := source{
		file: rel, pkg: path.Dir(rel), name: f.Name.Name, doc: f.Doc.Text(),
		test: strings.HasSuffix(rel, "_test.go"), lines: strings.Count(string(text), "\n"),
	}
	for _, imp := range f.Imports {
		s.imports = append(s.imports, importPath(imp))
	}
	return s, nil
}

func importPath(imp *ast.ImportSpec) string { return strings.Trim(imp.Path.Value, `"`) }

// covers tells whether a pattern of the table means a package.
func covers(pattern, pkg string) bool {
	if stem, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == stem || strings.HasPrefix(pkg, stem+"/")
	}
	return pkg == pattern
}

func anyCovers(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, pkg) })
}

func ruleFor(pkg string) (rule, bool) {
	var best rule
	for _, r := range rules {
		if covers(r.pkg, pkg) && len(r.pkg) > len(best.pkg) {
			best = r
		}
	}
	return best, best.pkg != ""
}

// judge returns what is wrong with one import, or "".
func judge(s source, imported string) string {
	if first, _, _ := strings.Cut(imported, "/"); first == modulePath {
		return judgeOurs(s, strings.TrimPrefix(imported, modulePath+"/"))
	} else if !strings.Contains(first, ".") {
		return "" // the standard library
	}
	if s.test && slices.ContainsFunc(testModules, func(m string) bool { return strings.HasPrefix(imported, m) }) {
		return ""
	}
	for _, m := range modules {
		if !strings.HasPrefix(imported, m.path) {
			continue
		}
		if anyCovers(m.users, s.pkg) || (s.test && anyCovers(m.tests, s.pkg)) {
			return ""
		}
		return fmt.Sprintf("%s imports %s, which is for %s", s.file, imported, strings.Join(m.users, ", "))
	}
	return fmt.Sprintf("%s imports %s, which is in no line of `modules` in internal/archtest/table_test.go", s.file, imported)
}

func judgeOurs(s source, imported string) string {
	r, ok := ruleFor(s.pkg)
	switch {
	case !ok:
		return fmt.Sprintf("package %s is in no line of `rules` in internal/archtest/table_test.go: add one that says what it may import", s.pkg)
	case s.test && (imported == s.pkg || anyCovers(r.tests, imported)), anyCovers(r.imports, imported):
		return ""
	}
	return fmt.Sprintf("%s imports %s; the table allows %s to import: %s", s.file, imported, r.pkg, cmp.Or(strings.Join(r.imports, ", "), "nothing of ours"))
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if _, ok := ruleFor(s.pkg); !ok && !seen[s.pkg] {
			t.Error(judgeOurs(s, ""))
		}
		seen[s.pkg] = true
		for _, imported := range s.imports {
			if wrong := judge(s, imported); wrong != "" {
				t.Error(wrong)
			}
		}
	}
}

// The table itself must refuse what the house forbids, or the test above proves nothing.
func TestTableRefuses(t *testing.T) {
	for _, c := range []struct {
		file, imported string
		ok             bool
	}{
		{"internal/azlocal/arm/x.go", "mngr/internal/agent", false},
		{"internal/azlocal/arm/x.go", "mngr/internal/azlocal/store", true},
		{"internal/azlocal/arm/x.go", "github.com/Azure/azure-sdk-for-go/sdk/azcore", false},
		{"internal/azlocal/arm/x_test.go", "github.com/Azure/azure-sdk-for-go/sdk/azcore", true},
		{"internal/cli/x.go", "mngr/internal/azlocal", false},
		{"internal/cli/x_test.go", "mngr/internal/azlocal", true},
		{"cmd/mngr/main.go", "mngr/internal/azlocal", true},
		{"internal/cli/x.go", "mngr/internal/guest", false},
		{"cmd/mngrd/main.go", "mngr/internal/guest", true},
		{"internal/fleet/x.go", "mngr/internal/azure", false},
		{"internal/fleet/x.go", "mngr/internal/ssh", false},
		{"internal/fleet/x.go", "mngr/internal/agent", true},
		{"internal/fleet/x.go", "github.com/Azure/azure-sdk-for-go/sdk/azcore", false},
		{"internal/azure/x.go", "github.com/Azure/azure-sdk-for-go/sdk/azcore", true},
		{"internal/azure/x.go", "mngr/internal/ssh", false},
		{"internal/agent/x.go", "mngr/internal/config", false},
		{"internal/agent/x.go", "strings", true},
		{"internal/ctl/x.go", "mngr/internal/agent", false},
		{"internal/config/x.go", "mngr/internal/output", false},
		{"internal/config/x_test.go", "pgregory.net/rapid", true},
		{"internal/config/x.go", "pgregory.net/rapid", false},
		{"internal/config/x.go", "example.com/new", false},
		{"internal/newcomer/x.go", "mngr/internal/agent", false},
	} {
		s := source{file: c.file, pkg: path.Dir(c.file), test: strings.HasSuffix(c.file, "_test.go")}
		if wrong := judge(s, c.imported); (wrong == "") != c.ok {
			t.Errorf("%s importing %s: %q, want allowed=%v", c.file, c.imported, wrong, c.ok)
		}
	}
}

func TestEveryPackageSaysWhyItExists(t *testing.T) {
	docs := map[string]string{}
	for _, s := range sources(t) {
		if _, ok := docs[s.pkg]; !s.test || !ok {
			docs[s.pkg] += s.doc
		}
	}
	for pkg, doc := range docs {
		if len(strings.Fields(doc)) < 8 {
			t.Errorf("package %s has no package comment that says why it exists (%q)", pkg, doc)
		}
	}
}

func TestNames(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "lib", "base"}
	for _, s := range sources(t) {
		if slices.Contains(empty, path.Base(s.pkg)) || slices.Contains(empty, s.name) {
			t.Errorf("%s: a package named %s has no idea of its own", s.file, s.name)
		}
	}
}

func TestMainsAreShort(t *testing.T) {
	found := 0
	for _, s := range sources(t) {
		if s.name != "main" || s.test {
			continue
		}
		found++
		if !strings.HasPrefix(s.pkg, "cmd/") {
			t.Errorf("%s: commands live in cmd/", s.file)
		}
		if code := codeLines(t, s.file); code > 15 {
			t.Errorf("%s has %d lines of code, more than 15: what it does belongs into a package", s.file, code)
		}
	}
	t.Logf("%d mains", found)
}

// codeLines counts lines that are neither blank nor comment.
func codeLines(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}

// TestSizes prints; a file too long to read in one sitting is a question, not a fault.
func TestSizes(t *testing.T) {
	all := slices.DeleteFunc(sources(t), func(s source) bool { return s.test })
	slices.SortFunc(all, func(a, b source) int { return cmp.Compare(a.lines, b.lines) })
	at := func(percent int) int { return all[(len(all)-1)*percent/100].lines }
	t.Logf("%d files without tests: p50 %d lines, p90 %d, longest %s with %d",
		len(all), at(50), at(90), all[len(all)-1].file, all[len(all)-1].lines)
}
