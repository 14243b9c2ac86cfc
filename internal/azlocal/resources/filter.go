package resources

import (
	"net/http"
	"strings"
	"unicode"

	"mngr/internal/azlocal/arm"
)

// node is a part of a $filter: "and" or "or" of others, or a term.
type node struct {
	op   string // "and", "or", "" for a term
	kids []node
	term term
}

// term compares a property: eq, ne, substringof, startswith. Properties are lower-case.
type term struct{ property, op, value string }

// row is what a filter looks at.
type row struct {
	id, resourceType, location string
	principalID                string
	tags                       map[string]string
}

// resourceProperties are what generic lists can be filtered by, besides tags (documentation:
// "Resources - List").
func resourceProperties() []string {
	return []string{"resourcetype", "name", "location", "resourcegroup", "identity/principalid"}
}

// parseFilter reads a $filter over properties. Tags can be asked for too, but, as on Azure, not
// together with anything else (azure-sdk-for-python#27064).
func parseFilter(text string, properties []string) (node, error) {
	invalid := arm.Gatewayf(http.StatusBadRequest, "InvalidFilterInQueryString", "Invalid $filter '%s' specified in the query string.", text)
	if strings.TrimSpace(text) == "" {
		return node{op: "and"}, nil
	}
	p := filterParser{words: lex(text)}
	n, ok := p.or(0)
	if !ok || len(p.words) > 0 || !n.valid(properties) {
		return n, invalid
	}
	return n, nil
}

// valid tells whether a filter asks for known properties, or for one tag.
func (n node) valid(properties []string) bool {
	tags, others := n.count(properties)
	if tags == 0 {
		return others >= 0
	}
	return others == 0 && n.isTag()
}

// count tells how many terms are about tags and how many about properties; -1 when one is about neither.
func (n node) count(properties []string) (tags, others int) {
	if n.op == "" {
		switch {
		case n.term.property == "tagname" || n.term.property == "tagvalue":
			return 1, 0
		case containsFold(properties, n.term.property):
			return 0, 1
		}
		return 0, -1
	}
	for _, kid := range n.kids {
		t, o := kid.count(properties)
		tags += t
		if o < 0 || others < 0 {
			others = -1
		} else {
			others += o
		}
	}
	return tags, others
}

// isTag tells whether a filter is a tag's name, perhaps with its value.
func (n node) isTag() bool {
	terms := n.kids
	if n.op == "" {
		terms = []node{n}
	}
	if n.op == "or" || len(terms) > 2 || terms[0].term.property != "tagname" {
		return false
	}
	return len(terms) == 1 || terms[0].term.op == "eq" && terms[1].term.property == "tagvalue" && terms[1].term.op == "eq"
}

// matches tells whether a row passes.
func (n node) matches(r *row) bool {
	switch {
	case n.op == "" && n.term.property == "tagname":
		return r.hasTag(n.term, nil)
	case n.op == "":
		return n.term.matches(r.get(n.term.property))
	case n.op == "or":
		for _, kid := range n.kids {
			if kid.matches(r) {
				return true
			}
		}
		return false
	case len(n.kids) == 2 && n.kids[1].term.property == "tagvalue":
		return r.hasTag(n.kids[0].term, &n.kids[1].term.value)
	}
	for _, kid := range n.kids {
		if !kid.matches(r) {
			return false
		}
	}
	return true
}

// hasTag compares names without case and values with it, as tags do.
func (r *row) hasTag(name term, value *string) bool {
	for k, v := range r.tags {
		if name.matches(k) && (value == nil || *value == v) {
			return true
		}
	}
	return false
}

func (r *row) get(property string) string {
	switch property {
	case "resourcetype":
		return r.resourceType
	case "name":
		return arm.Name(r.id)
	case "location":
		return r.location
	case "resourcegroup":
		return arm.ParseID(r.id).Group
	}
	return r.principalID
}

func (t term) matches(have string) bool {
	have, want := strings.ToLower(have), strings.ToLower(t.value)
	if t.property == "location" {
		want = Normalize(want)
	}
	switch t.op {
	case "ne":
		return have != want
	case "substringof":
		return strings.Contains(have, want)
	case "startswith":
		return strings.HasPrefix(have, want)
	}
	return have == want
}

// filterParser reads words from the left. maxDepth bounds its recursion.
type filterParser struct{ words []word }

const maxDepth = 20

func (p *filterParser) or(depth int) (node, bool) { return p.chain("or", depth, p.and) }

func (p *filterParser) and(depth int) (node, bool) { return p.chain("and", depth, p.primary) }

func (p *filterParser) chain(op string, depth int, next func(int) (node, bool)) (node, bool) {
	n, ok := next(depth)
	out := node{op: op, kids: []node{n}}
	for ok && p.accept(op) {
		n, ok = next(depth)
		out.kids = append(out.kids, n)
	}
	if len(out.kids) == 1 {
		return n, ok
	}
	return out, ok
}

func (p *filterParser) primary(depth int) (node, bool) {
	if depth > maxDepth {
		return node{}, false
	}
	if p.accept("(") {
		n, ok := p.or(depth + 1)
		return n, ok && p.accept(")")
	}
	name, ok := p.take(plain)
	if !ok {
		return node{}, false
	}
	if name = strings.ToLower(name); name == "substringof" || name == "startswith" {
		return p.call(name)
	}
	op, ok := p.take(plain)
	op = strings.ToLower(op)
	value, isText := p.take(quoted)
	return node{term: term{name, op, value}}, ok && isText && (op == "eq" || op == "ne")
}

// call reads the arguments of substringof('x', name) or startswith(tagName, 'x').
func (p *filterParser) call(function string) (node, bool) {
	ok := p.accept("(")
	first, second := quoted, plain
	if function == "startswith" {
		first, second = plain, quoted
	}
	a, okA := p.take(first)
	comma := p.accept(",")
	b, okB := p.take(second)
	ok = ok && okA && comma && okB && p.accept(")")
	if function == "startswith" {
		a, b = b, a
	}
	return node{term: term{strings.ToLower(b), function, a}}, ok
}

// kind tells what a word of a filter is.
type kind int

const (
	plain kind = iota // a name, an operator, a bracket
	quoted
)

type word struct {
	kind kind
	text string
}

// take removes the next word when it is of a kind.
func (p *filterParser) take(k kind) (string, bool) {
	if len(p.words) == 0 || p.words[0].kind != k {
		return "", false
	}
	text := p.words[0].text
	p.words = p.words[1:]
	return text, true
}

// accept removes the next word when it is text.
func (p *filterParser) accept(text string) bool {
	if len(p.words) == 0 || p.words[0].kind != plain || !strings.EqualFold(p.words[0].text, text) {
		return false
	}
	p.words = p.words[1:]
	return true
}

// lex cuts a filter into words. In a quoted one, two quotes stand for one; what is not closed
// ends with the text and is plain, so that no term takes it.
func lex(text string) []word {
	var out []word
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		switch c := text[0]; {
		case c == '\'':
			value, rest, closed := unquote(text[1:])
			w := word{plain, "'"}
			if closed {
				w = word{quoted, value}
			}
			out, text = append(out, w), rest
		case strings.IndexByte("(),", c) >= 0:
			out, text = append(out, word{plain, text[:1]}), text[1:]
		default:
			end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("(),'", r) })
			if end < 0 {
				end = len(text)
			}
			out, text = append(out, word{plain, text[:end]}), text[end:]
		}
	}
	return out
}

func unquote(text string) (value, rest string, closed bool) {
	var b strings.Builder
	for {
		part, after, found := strings.Cut(text, "'")
		b.WriteString(part)
		if !found {
			return b.String(), "", false
		}
		if !strings.HasPrefix(after, "'") {
			return b.String(), after, true
		}
		b.WriteByte('\'')
		text = after[1:]
	}
}

func containsFold(list []string, s string) bool {
	for _, one := range list {
		if strings.EqualFold(one, s) {
			return true
		}
	}
	return false
}
