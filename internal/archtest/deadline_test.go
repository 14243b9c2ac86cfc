package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bounded are the packages whose waits all end by a deadline of internal/agent's table.
var bounded = []string{"internal/fleet", "internal/azure", "internal/cli", "internal/ssh", "internal/git", "internal/dockerbuild", "internal/keep"}

// ownEnds are the waits that end otherwise, each with its reason.
var ownEnds = map[string]string{
	"internal/azure/persist.go context.WithDeadline": "a deadline of the table, moved on by what Azure asks for",
	"internal/cli/exec.go context.WithTimeoutCause":  "the user's own --timeout",
	"internal/fleet/pause.go time.NewTimer":          "a pause between two questions, inside a wait that has an end",
	"internal/azure/poll.go time.NewTimer":           "a pause between two questions, inside a wait that has an end",
	"internal/ssh/dial.go time.After":                "a pause between two attempts, inside a wait that has an end",
}

// unbounded returns the waits of a file whose length does not come from the table.
func unbounded(t *testing.T, name string, src any) []string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch called := selector(n.Fun); called {
			case "context.WithTimeout", "context.WithTimeoutCause", "context.WithDeadline", "context.WithDeadlineCause":
				found = append(found, called)
			case "time.After", "time.NewTimer", "net.DialTimeout":
				if !fromTable(n.Args[len(n.Args)-1]) {
					found = append(found, called)
				}
			case "agent.Deadline":
				found = append(found, called+", a length of its own")
			}
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			if ok && strings.HasSuffix(key.Name, "Timeout") && key.Name != "IdleTimeout" && hasDuration(n.Value) && !fromTable(n.Value) {
				found = append(found, key.Name+":")
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if field, ok := left.(*ast.SelectorExpr); ok && field.Sel.Name == "WaitDelay" && i < len(n.Rhs) && !fromTable(n.Rhs[i]) {
					found = append(found, "WaitDelay =")
				}
			}
		}
		return true
	})
	return found
}

func selector(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}

// fromTable tells whether a length is one of the table's.
func fromTable(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		found = found || ok && strings.HasPrefix(selector(s), "agent.Deadline")
		return true
	})
	return found
}

// hasDuration tells values that are lengths of time written here.
func hasDuration(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		found = found || ok && strings.HasPrefix(selector(s), "time.")
		return true
	})
	return found
}

func TestEveryWaitHasADeadlineOfTheTable(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || !anyCovers(bounded, s.pkg) {
			continue
		}
		for _, wait := range unbounded(t, filepath.Join("..", "..", filepath.FromSlash(s.file)), nil) {
			used[s.file+" "+wait] = true
			if ownEnds[s.file+" "+wait] == "" {
				t.Errorf("%s: %s: its length comes from no constant of internal/agent/deadline.go; agent.Within takes one", s.file, wait)
			}
		}
	}
	for wait := range ownEnds {
		if !used[wait] {
			t.Errorf("%s does not occur any more: take it off ownEnds", wait)
		}
	}
}

// The look itself must find what it is for.
func TestWaitsOfTheirOwnAreFound(t *testing.T) {
	for body, want := range map[string]int{
		`ctx, cancel := context.WithTimeout(ctx, 5*time.Second)`:             1,
		`ctx, cancel := context.WithTimeout(ctx, limit)`:                     1,
		`ctx, cancel := context.WithDeadline(ctx, until)`:                    1,
		`ctx, done := agent.Within(ctx, agent.DeadlineList, "x")`:            0,
		`ctx, done := agent.Within(ctx, agent.Deadline(5*time.Second), "x")`: 1,
		`d := net.Dialer{Timeout: 2 * time.Second}`:                          1,
		`d := net.Dialer{Timeout: time.Duration(agent.DeadlineLocal)}`:       0,
		`c := http.Client{Timeout: time.Minute}`:                             1,
		`o := policy.RetryOptions{TryTimeout: 70 * time.Second}`:             1,
		`cmd.WaitDelay = time.Second`:                                        1,
		`cmd.WaitDelay = time.Duration(agent.DeadlineChild)`:                 0,
		`<-time.After(2 * time.Second)`:                                      1,
		`<-time.After(time.Duration(agent.DeadlineHangUp))`:                  0,
		`x := ctl.Idle{Timeout: minutes}`:                                    0,
	} {
		if got := unbounded(t, "x.go", "package x\nfunc f() {\n"+body+"\n}"); len(got) != want {
			t.Errorf("%s: found %q", body, got)
		}
	}
}

var deadlineRow = regexp.MustCompile(`(?m)^\tDeadline\w+\s+= (.*?)\s+// (.*)$`)

// TestDeadlinesAreDocumented holds the table of docs/cli.md to the constants: every one has
// its row, with its comment as the phase.
func TestDeadlinesAreDocumented(t *testing.T) {
	code := read(t, "internal/agent/deadline.go")
	docs := read(t, "docs/cli.md")
	_, table, _ := strings.Cut(docs, "<!-- deadlines: begin -->\n")
	table, _, ok := strings.Cut(table, "<!-- deadlines: end -->")
	if !ok {
		t.Fatal("docs/cli.md has no table of deadlines")
	}
	want := "\n| wait | at most |\n|---|---|\n"
	rows := deadlineRow.FindAllStringSubmatch(code, -1)
	if n := strings.Count(code, "\n\tDeadline"); len(rows) != n || n < 30 {
		t.Fatalf("%d of %d constants have a length and a phase", len(rows), n)
	}
	short := strings.NewReplacer(" * minute", "m", " * second", "s")
	for _, r := range rows {
		want += "| " + r[2] + " | " + short.Replace(r[1]) + " |\n"
	}
	if table != want+"\n" {
		t.Errorf("the table of deadlines in docs/cli.md differs from internal/agent/deadline.go; it should be:\n%s", want)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
