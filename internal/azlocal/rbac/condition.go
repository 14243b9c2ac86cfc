package rbac

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// condition is what a role assignment's condition, version 2.0, says of a request.
type condition func(asked) bool

// asked is what a condition may look at.
type asked struct {
	action string
	// attribute is the value of an attribute, "" where the request has none. Source is
	// Request or Resource.
	attribute func(source, name string) string
}

// parseCondition reads a condition in the grammar of "Azure role assignment condition
// format and syntax", as far as conditions on role assignments use it: ActionMatches,
// comparisons of @Request and @Resource attributes, !, AND, OR and parentheses.
func parseCondition(text string) (condition, error) {
	if len(text) > maxCondition {
		return nil, fmt.Errorf("it is longer than %d bytes", maxCondition)
	}
	p := &conditionParser{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		token := conditionToken.FindString(rest)
		if token == "" {
			return nil, fmt.Errorf("nobody understands %.30q", rest)
		}
		p.tokens, rest = append(p.tokens, token), rest[len(token):]
	}
	c, err := p.either()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("%q is too much", p.tokens[0])
	}
	return c, err
}

var conditionToken = regexp.MustCompile(`^(?:[()!]|&&|\|\||@[A-Za-z]+\[[^\]]*\]|\{[^}]*\}|'[^']*'|[A-Za-z:]+)`)

const (
	maxCondition = 8 << 10 // bytes ("FAQ for Azure role assignment conditions")
	maxDepth     = 100     // of the parser's recursion
)

type conditionParser struct {
	tokens []string
	depth  int // of what is being parsed
}

// take returns the next token, "" at the end.
func (p *conditionParser) take() string {
	if len(p.tokens) == 0 {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

func (p *conditionParser) accept(words ...string) bool {
	if len(p.tokens) == 0 || !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, p.tokens[0]) }) {
		return false
	}
	p.take()
	return true
}

func (p *conditionParser) either() (condition, error) {
	left, err := p.both()
	for err == nil && p.accept("OR", "||") {
		var right condition
		one := left
		right, err = p.both()
		left = func(a asked) bool { return one(a) || right(a) }
	}
	return left, err
}

func (p *conditionParser) both() (condition, error) {
	left, err := p.one()
	for err == nil && p.accept("AND", "&&") {
		var right condition
		one := left
		right, err = p.one()
		left = func(a asked) bool { return one(a) && right(a) }
	}
	return left, err
}

func (p *conditionParser) one() (condition, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("it is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept("!", "NOT"):
		c, err := p.one()
		return func(a asked) bool { return !c(a) }, err
	case p.accept("("):
		c, err := p.either()
		if err == nil && !p.accept(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return c, err
	case p.accept("ActionMatches"):
		return matches(values(p.take()))
	}
	return compare(p.take(), p.take(), values(p.take()))
}

func matches(patterns []string) (condition, error) {
	if len(patterns) == 0 {
		return nil, fmt.Errorf("ActionMatches names no action")
	}
	return func(a asked) bool { return matchAny(patterns, a.action) }, nil
}

// compare is a comparison of one attribute, which has one value here, with a set.
func compare(attribute, operator string, with []string) (condition, error) {
	source, name, ok := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(attribute, "]"), "@"), "[")
	if !ok || len(with) == 0 || !strings.EqualFold(source, "Request") && !strings.EqualFold(source, "Resource") {
		return nil, fmt.Errorf("%q is no comparison", strings.TrimSpace(attribute+" "+operator))
	}
	equal := strings.EqualFold
	switch strings.TrimPrefix(operator, "ForAnyOfAnyValues:") {
	case "GuidEquals", "StringEqualsIgnoreCase":
	case "StringEquals":
		equal = func(a, b string) bool { return a == b }
	default:
		return nil, fmt.Errorf("the operator %q is not known here", operator)
	}
	return func(a asked) bool {
		has := a.attribute(source, name)
		return slices.ContainsFunc(with, func(v string) bool { return equal(v, has) })
	}, nil
}

// values are the elements of {a, 'b'}, or of 'a'.
func values(token string) []string {
	var out []string
	for v := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(token, "{"), "}"), ",") {
		if v = strings.Trim(strings.TrimSpace(v), "'"); v != "" {
			out = append(out, v)
		}
	}
	return out
}
