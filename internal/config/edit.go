package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// splice is one replacement of bytes: the whole of what an edit changes in a file.
type splice struct {
	start, end int
	text       string
}

func (s splice) apply(data []byte) []byte {
	out := make([]byte, 0, len(data)+len(s.text))
	out = append(out, data[:s.start]...)
	out = append(out, s.text...)
	return append(out, data[s.end:]...)
}

const inlineCause = "an inline table cannot take another key"

// setKey finds the splice that gives a key the literal value.
func (d *document) setKey(path []string, literal string) (splice, error) {
	if err := d.collision(path); err != nil {
		return splice{}, err
	}
	parent, last := path[:len(path)-1], path[len(path)-1]
	sibling := -1
	for i, e := range d.entries {
		if equal(e.path, path) {
			return splice{e.valueStart, e.valueEnd, literal}, nil
		}
		if equal(e.path[:len(e.path)-1], parent) && !e.inline {
			sibling = i
		}
	}
	line := last + " = " + literal
	if sibling >= 0 {
		e := d.entries[sibling]
		return d.insertAfter(d.lineEnd(e.valueEnd), d.keyPrefix(e)+line), nil
	}
	for _, t := range d.tables {
		if t.inline && len(t.path) <= len(parent) && equal(t.path, parent[:len(t.path)]) {
			return splice{}, &Problem{
				Origin{File: d.name, Line: t.line},
				strings.Join(path, "."),
				fault{inlineCause, fmt.Sprintf("write it as a table, [%s]", strings.Join(parent, "."))},
			}
		}
		if equal(t.path, parent) {
			return d.insertAfter(t.end, line), nil
		}
	}
	if len(parent) == 0 {
		return d.insertFirst(line), nil
	}
	return d.appendTable(parent, line), nil
}

// collision finds what keeps a key out of the file: TOML has either a value or a table
// under one name.
func (d *document) collision(path []string) error {
	refuse := func(line int, there []string, what string) error {
		key := strings.Join(there, ".")
		return &Problem{
			Origin{File: d.name, Line: line}, strings.Join(path, "."),
			fault{fmt.Sprintf("%s is %s here", key, what), "mngr config unset " + key + " # removes it"},
		}
	}
	for _, e := range d.entries {
		switch {
		case within(path, e.path):
			return refuse(e.line, e.path, "a value")
		case within(e.path, path):
			return refuse(e.line, path, "a table")
		}
	}
	for _, t := range d.tables {
		if equal(t.path, path) || within(t.path, path) {
			return refuse(t.line, path, "a table")
		}
	}
	return nil
}

// unsetKey finds the splice that removes a key's line, or a table with all its keys; the
// comments between them stay. ok is false when there is neither.
func (d *document) unsetKey(path []string) (s splice, ok bool, err error) {
	var gone []splice
	for _, e := range d.entries {
		if !equal(e.path, path) && !within(e.path, path) {
			continue
		}
		if !e.inline {
			gone = append(gone, splice{start: d.lineStart(e.start), end: d.lineEnd(e.valueEnd)})
			continue
		}
		if equal(e.path, path) {
			return splice{}, false, &Problem{
				Origin{File: d.name, Line: e.line}, e.key(),
				fault{"the key stands in an inline table", "remove it with an editor"},
			}
		}
	}
	for _, t := range d.tables {
		switch {
		case !equal(t.path, path) && !within(t.path, path):
		case !t.inline:
			gone = append(gone, splice{start: t.start, end: t.end})
		case d.nested(t):
			if equal(t.path, path) {
				return splice{}, false, &Problem{
					Origin{File: d.name, Line: t.line}, strings.Join(path, "."),
					fault{"the table stands in an inline table", "remove it with an editor"},
				}
			}
		default:
			gone = append(gone, splice{start: d.lineStart(t.start), end: d.lineEnd(t.end)})
		}
	}
	return d.joined(gone), len(gone) > 0, nil
}

// nested tells whether an inline table stands in another one.
func (d *document) nested(t table) bool {
	return slices.ContainsFunc(d.tables, func(o table) bool { return o.inline && within(t.path, o.path) && o.start <= t.start && t.end <= o.end })
}

// joined makes one splice of several removals.
func (d *document) joined(gone []splice) splice {
	if len(gone) == 0 {
		return splice{}
	}
	slices.SortFunc(gone, func(a, b splice) int { return a.start - b.start })
	all := splice{start: gone[0].start, end: gone[0].end}
	var kept strings.Builder
	for _, s := range gone[1:] {
		if s.start > all.end {
			kept.Write(d.data[all.end:s.start])
		}
		all.end = max(all.end, s.end)
	}
	all.text = kept.String()
	return all
}

// keyPrefix is what stands before the last segment of an entry's key on its line:
// indentation, and the leading segments of a dotted key.
func (d *document) keyPrefix(e entry) string {
	return string(d.data[d.lineStart(e.start):e.lastStart])
}

func (d *document) lineStart(offset int) int {
	return bytes.LastIndexByte(d.data[:offset], '\n') + 1
}

// lineEnd is the offset after the newline that ends the line at offset.
func (d *document) lineEnd(offset int) int {
	if i := bytes.IndexByte(d.data[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(d.data)
}

func (d *document) newline() string {
	if i := bytes.IndexByte(d.data, '\n'); i > 0 && d.data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

func (d *document) insertAfter(at int, line string) splice {
	if at > 0 && d.data[at-1] != '\n' {
		return splice{at, at, d.newline() + line + d.newline()}
	}
	return splice{at, at, line + d.newline()}
}

// insertFirst puts a top-level key at the head of the file, before any table.
func (d *document) insertFirst(line string) splice {
	text := line + d.newline()
	if len(d.data) > 0 {
		text += d.newline()
	}
	return splice{0, 0, text}
}

func (d *document) appendTable(path []string, line string) splice {
	nl, text := d.newline(), ""
	if n := len(d.data); n > 0 {
		if d.data[n-1] != '\n' {
			text += nl
		}
		text += nl
	}
	text += "[" + strings.Join(path, ".") + "]" + nl + line + nl
	return splice{len(d.data), len(d.data), text}
}

// within tells whether path lies below another.
func within(path, above []string) bool {
	return len(path) > len(above) && equal(path[:len(above)], above)
}

func equal(a, b []string) bool {
	return strings.Join(a, "\x00") == strings.Join(b, "\x00") && len(a) == len(b)
}

// literal writes a value, as parse returns it, in TOML.
func literal(v any) string {
	switch x := v.(type) {
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		text := strconv.FormatFloat(x, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	case string:
		return quote(x)
	case []any:
		parts := make([]string, len(x))
		for i, item := range x {
			parts[i] = literal(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return quote(fmt.Sprint(v))
}

// quote writes a basic string. JSON's escapes are TOML's, except that TOML wants DEL
// escaped and has no use for the escapes that protect HTML.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return strconv.Quote(s)
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}
