package filter

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"mngr/internal/agent"
)

// Expr is one compiled expression.
type Expr struct {
	text    string
	program cel.Program
}

// Compiler compiles expressions over rows of one schema.
type Compiler struct {
	schema Schema
	env    func() (*cel.Env, error) // made when the first expression comes
}

// NewCompiler is cheap: most listings are not filtered.
func NewCompiler(s Schema) *Compiler {
	return &Compiler{schema: s, env: sync.OnceValues(func() (*cel.Env, error) {
		options := []cel.EnvOption{cel.CrossTypeNumericComparisons(true)}
		for _, path := range s.Paths {
			if !strings.Contains(path, ".") {
				options = append(options, cel.Variable(path, cel.DynType))
			}
		}
		return cel.NewEnv(options...)
	})}
}

// Compile refuses bad syntax, fields that no row has, and what is no condition.
func (c *Compiler) Compile(text string) (*Expr, error) {
	env, err := c.env()
	if err != nil {
		return nil, fmt.Errorf("prepare expressions: %w", err)
	}
	parsed, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, c.refuse(text, firstProblem(issues))
	}
	if out := parsed.OutputType(); !out.IsExactType(cel.BoolType) && !out.IsExactType(cel.DynType) {
		return nil, c.refuse(text, "it is no condition: its value is a "+out.String())
	}
	if path, ok := c.unknown(parsed); ok {
		return nil, c.refuse(text, fmt.Sprintf("a listing has no field %q", path))
	}
	program, err := env.Program(parsed)
	if err != nil {
		return nil, c.refuse(text, err.Error())
	}
	return &Expr{text, program}, nil
}

func (c *Compiler) refuse(text, why string) error {
	return agent.Errorf(agent.KindUsage, "%q: %s", text, why).
		WithHint(`write for example 'state == "RUNNING" && host.region == "westus"', with the fields %s`, strings.Join(c.schema.Names(), ", "))
}

func firstProblem(issues *cel.Issues) string {
	if all := issues.Errors(); len(all) > 0 {
		return all[0].Message
	}
	return "it cannot be read"
}

// unknown finds a field that no row has.
func (c *Compiler) unknown(parsed *cel.Ast) (string, bool) {
	var bad string
	ast.PostOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		path, ok := pathOf(e)
		root, _, _ := strings.Cut(path, ".")
		if bad == "" && ok && strings.Contains(path, ".") && slices.Contains(c.schema.Paths, root) && !c.schema.Has(path) {
			bad = path
		}
	}))
	return bad, bad != ""
}

func pathOf(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), true
	case ast.SelectKind:
		above, ok := pathOf(e.AsSelect().Operand())
		return above + "." + e.AsSelect().FieldName(), ok
	}
	return "", false
}

// Match tells whether a row fulfils the expression. One that asks for what the row does
// not have, such as a label that it does not carry, is not fulfilled, without an error.
func (x *Expr) Match(r Row) (bool, error) {
	v, _, err := x.program.Eval(map[string]any(r))
	switch {
	case err != nil && missing(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%q: %w", x.text, err)
	}
	if b, ok := v.(types.Bool); ok {
		return bool(b), nil
	}
	return false, fmt.Errorf("%q: it is no condition: its value is a %s", x.text, v.Type().TypeName())
}

// missing knows the messages of cel-go's interpreter (interpreter/attributes.go).
func missing(err error) bool {
	return strings.Contains(err.Error(), "no such key") || strings.Contains(err.Error(), "no such attribute")
}
