package output

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/plain"
)

// Template is a line with fields in braces: "{name}\t{host.state}". Doubled braces are
// braces; \t, \n, \r and \\ are what they are in most languages.
type Template struct {
	parts []templatePart
}

type templatePart struct {
	text  string
	field bool
}

// ParseTemplate reads a template.
func ParseTemplate(s string) (Template, error) {
	var t Template
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			t.parts = append(t.parts, templatePart{text: text.String()})
			text.Reset()
		}
	}
	for s != "" {
		switch {
		case strings.HasPrefix(s, "{{"), strings.HasPrefix(s, "}}"):
			text.WriteByte(s[0])
			s = s[2:]
		case s[0] == '{':
			name, rest, closed := strings.Cut(s[1:], "}")
			if !closed || name == "" || strings.ContainsAny(name, "{ ") {
				return t, agent.Errorf(agent.KindUsage, "the template has a brace that begins no field: %q", s).WithHint("write {name}, and {{ for a brace")
			}
			flush()
			t.parts = append(t.parts, templatePart{name, true})
			s = rest
		case s[0] == '}':
			return t, agent.Errorf(agent.KindUsage, "the template has a brace that ends no field: %q", s).WithHint("write }} for a brace")
		case s[0] == '\\' && len(s) > 1 && strings.IndexByte(`tnr\`, s[1]) >= 0:
			text.WriteByte(map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', '\\': '\\'}[s[1]])
			s = s[2:]
		default:
			text.WriteByte(s[0])
			s = s[1:]
		}
	}
	flush()
	return t, nil
}

// Fields lists the fields that the template names.
func (t Template) Fields() []string {
	var names []string
	for _, p := range t.parts {
		if p.field {
			names = append(names, p.text)
		}
	}
	return names
}

// Execute writes one line. What a field holds is foreign text, and is cleaned.
func (t Template) Execute(get func(field string) any) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.field {
			b.WriteString(plain.Escape(Text(get(p.text))))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// Text is a value of a row for people: nothing for null, "k=v, k=v" for an object, and
// elements separated by commas for a list.
func Text(v any) string {
	var parts []string
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		for _, e := range v {
			parts = append(parts, Text(e))
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+"="+Text(v[k]))
		}
	case float64:
		text, err := json.Marshal(v)
		if err == nil {
			return string(text)
		}
	default:
		return fmt.Sprint(v)
	}
	return strings.Join(parts, ", ")
}
