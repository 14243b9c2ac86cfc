package cli

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mngr/internal/azlocal"
	"mngr/internal/output"
)

// programs are what a hint may begin with to be a command; other hints are advice in words.
var programs = []string{"mngr", "az", "sleep", "rm", "chmod", "kill", "apt-get", "unset", "PREPARE", "FALLBACK", "LOGIN"}

// unknown stands for what only the running program knows.
const unknown = "X"

// TestHintsCanBePasted holds every hint of the program to one form: advice in words, or one
// whole command with, behind " # ", what it is for.
func TestHintsCanBePasted(t *testing.T) {
	seen := 0
	for _, h := range hintsOfSource(t) {
		seen++
		for hint := range strings.SplitSeq(h.text, " || ") { // the alternatives of the catalogue
			if err := pasteable(hint); err != nil {
				t.Errorf("%s: %q: %v", h.at, hint, err)
			}
		}
	}
	if seen < 200 {
		t.Errorf("found %d hints only: does the search still find them?", seen)
	}
}

// TestPasteable is the positive and the negative control of the form.
func TestPasteable(t *testing.T) {
	for hint, ok := range map[string]bool{
		"mngr start X # finishes it; or: mngr destroy @X": true,
		"mngr config set providers.X.is_enabled false":    true,
		"mngr azure prepare --provider X --dry-run":       true,
		"mngr create NAME --type shell":                   true,
		"az group list --query \"[?name=='a|b']\"":        true,
		"add --force":     true,
		"write 90m or 2h": true,
		"mngr start X finishes it; mngr destroy @X": false,
		"mngr start X finishes it":                  false,
		"mngr create X again: nothing is left":      false,
		"mngr destroy @X, then again: mngr list":    false,
		"mngr destroy one of them":                  false,
		"mngr list; mngr cost":                      false,
		"mngr crate X":                              false,
		"mngr list --nosuch":                        false,
		"mngr rename X":                             false,
		"mngr":                                      false,
		"mngr create NAME":                          false,
		"mngr azure local log | head":               false,
		"`mngr list` shows it":                      false,
		"change it; rm X":                           false,
		"it isn't":                                  false,
		"look: mngr list #shows it":                 false,
	} {
		if err := pasteable(hint); (err == nil) != ok {
			t.Errorf("%q: %v, want ok=%v", hint, err, ok)
		}
	}
}

// pasteable tells why a hint is no safe paste, or is not the command that it looks like.
func pasteable(hint string) error {
	command, _, explained := strings.Cut(hint, " # ")
	words, err := shellWords(command)
	if err != nil {
		return err
	}
	switch {
	case strings.Contains(command, "#"):
		return errors.New("an explanation stands behind ' # '")
	case len(words) == 0:
		return errors.New("nothing is said")
	case !slices.Contains(programs, words[0]) && explained && words[0] != unknown:
		return errors.New("words need no explanation; if it is a command, `programs` lacks it")
	case words[0] == "mngr":
		return ours(words[1:])
	case slices.Contains(programs, words[0]):
		for _, w := range words[1:] {
			if strings.ContainsAny(w[len(w)-1:], ",;:") {
				return fmt.Errorf("%q is no word of a command", w)
			}
		}
	}
	return nil
}

var ofSentence = regexp.MustCompile(`^[a-z]+[,:;]?$|[,:;]$`)

// ours parses a command line with the command tree itself.
func ours(words []string) error {
	root := newRoot(newApp(output.Streams{In: strings.NewReader(""), Out: new(bytes.Buffer), Err: new(bytes.Buffer)}), azlocal.Command())
	cmd, args, err := root.Find(words)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(args); errors.Is(err, pflag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if !cmd.HasParent() {
		return errors.New("no command is named")
	}
	if cmd.HasSubCommands() && !cmd.Runnable() {
		return errors.New("what to do is not said")
	}
	args = cmd.Flags().Args()
	if cmd.Name() == "create" && cmd.Flags().ArgsLenAtDash() < 0 && !cmd.Flags().Changed("type") {
		return errors.New("what the agent runs is not said")
	}
	for n, arg := range args {
		if dash := cmd.Flags().ArgsLenAtDash(); dash >= 0 && n >= dash || slices.Contains(cmd.ValidArgs, arg) || cmd.Parent().Name() == "config" && n == 1 {
			continue
		}
		if ofSentence.MatchString(arg) && !(cmd.Name() == "permissions") {
			return fmt.Errorf("%q is a word of a sentence", arg)
		}
	}
	return cmd.ValidateArgs(args)
}

// shellWords splits a line as a shell does, and refuses all with which a shell does more than
// to run one command.
func shellWords(line string) (words []string, err error) {
	var word strings.Builder
	var quote rune
	open := false
	for _, r := range line + " " {
		switch {
		case quote == r:
			quote = 0
		case quote == '\'', quote == '"' && r != '`':
			word.WriteRune(r)
		case r == '`', strings.ContainsRune(";|&<>$\n", r):
			return nil, fmt.Errorf("a shell makes something of %q", r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ':
			if open || word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("%c is not closed", quote)
	}
	return words, nil
}

type hintAt struct{ at, text string }

// hintsOfSource finds the texts in the code that are given as hints, and all others that
// begin like a command.
func hintsOfSource(t *testing.T) (found []hintAt) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(path, "azurecheck") { // a program of its own
			return err
		}
		f, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		add := func(e ast.Expr) {
			if text, ok := textOf(e); ok {
				found = append(found, hintAt{files.Position(e.Pos()).String(), text})
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			for _, e := range hintsAt(n) {
				add(e)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// hintsAt are the expressions that a node uses as hints.
func hintsAt(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		name := ""
		switch f := n.Fun.(type) {
		case *ast.SelectorExpr:
			name = f.Sel.Name
		case *ast.Ident:
			name = f.Name
		}
		switch {
		case name == "WithHint" && len(n.Args) > 0:
			return n.Args[:1]
		case name == "Note" && len(n.Args) > 0:
			if text, ok := n.Args[0].(*ast.BasicLit); ok && strings.HasPrefix(text.Value, `"hint: `) {
				return []ast.Expr{&ast.BasicLit{ValuePos: text.ValuePos, Value: `"` + strings.TrimPrefix(text.Value, `"hint: `)}}
			}
		case (name == "orElse" || name == "Warn") && len(n.Args) > 1:
			return n.Args[1:2]
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Hint" || key.Name == "Remedy" || key.Name == "hint") {
			return []ast.Expr{n.Value}
		}
	case *ast.AssignStmt:
		if n.Tok == token.ADD_ASSIGN || len(n.Lhs) != len(n.Rhs) {
			return nil
		}
		var all []ast.Expr
		for i, left := range n.Lhs {
			name := ""
			switch l := left.(type) {
			case *ast.Ident:
				name = l.Name
			case *ast.SelectorExpr:
				name = l.Sel.Name
			}
			if name == "hint" || name == "finish" || name == "Hint" || name == "remedy" {
				all = append(all, n.Rhs[i])
			}
		}
		return all
	case *ast.ValueSpec:
		var all []ast.Expr
		for i, name := range n.Names {
			if strings.HasPrefix(name.Name, "try") && i < len(n.Values) {
				all = append(all, n.Values[i])
			}
		}
		return all
	case *ast.CompositeLit: // {cause, hint} and {alarm, message, command}
		if len(n.Elts) == 0 {
			return nil
		}
		kind, _ := n.Type.(*ast.Ident)
		switch {
		case kind != nil && kind.Name == "alarmRow" && len(n.Elts) > 2:
			return n.Elts[2:3]
		case kind != nil && kind.Name == "fault", len(n.Elts) == 4 && isKind(n.Elts[1]):
			return n.Elts[len(n.Elts)-1:]
		}
	}
	return nil
}

// isKind tells a row of the catalogue of Azure's answers.
func isKind(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && strings.HasPrefix(s.Sel.Name, "Kind")
}

var verb = regexp.MustCompile(`%[-+.0-9]*[a-z]`)

// textOf is a text as far as the source has it; ok is false for what is made elsewhere.
func textOf(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return verb.ReplaceAllStringFunc(text, func(v string) string {
			if strings.HasSuffix(v, "d") || strings.HasSuffix(v, "f") {
				return "1"
			}
			return unknown
		}), err == nil && text != "" && text != "%s"
	case *ast.BinaryExpr:
		left, ok := textOf(e.X)
		right, also := textOf(e.Y)
		if !ok {
			left = unknown
		}
		if !also {
			right = unknown
		}
		if c, call := e.X.(*ast.CallExpr); call && !ok {
			left = commandOf(c)
		}
		return left + right, ok || also
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "Sprintf" || s.Sel.Name == "Explain") {
			return textOf(e.Args[0])
		}
	case *ast.ParenExpr:
		return textOf(e.X)
	}
	return "", false
}

// commandOf stands for a call that writes a command.
func commandOf(c *ast.CallExpr) string {
	if s, ok := c.Fun.(*ast.SelectorExpr); ok && strings.HasSuffix(s.Sel.Name, "Command") {
		return "mngr list"
	}
	return unknown
}
