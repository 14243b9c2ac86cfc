package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a parsed settings file that knows where everything stands in it.
type document struct {
	name    string // path, for messages
	data    []byte
	entries []entry
	tables  []table
}

// entry is one `key = value`. Offsets are bytes in document.data.
type entry struct {
	path       []string // full key
	line       int      // 1 is the first
	value      any      // as go-toml decodes it
	start      int      // of the key
	lastStart  int      // of the key's last segment
	valueStart int
	valueEnd   int
	inline     bool // inside { }
}

func (e entry) key() string { return strings.Join(e.path, ".") }

// table is one [header].
type table struct {
	path   []string
	line   int
	start  int  // of the header's own line; of the key when inline
	end    int  // after the header's newline; after the value when inline
	array  bool // [[header]]
	inline bool // key = { }
}

// parseDocument reads TOML. The error is a *Problem.
func parseDocument(name string, data []byte) (*document, error) {
	data = slices.Clip(data)
	var values map[string]any
	if err := toml.Unmarshal(data, &values); err != nil {
		return nil, syntaxProblem(name, err)
	}
	d := &document{name: name, data: data}
	var parser unstable.Parser
	parser.Reset(data)
	var prefix []string
	for parser.NextExpression() {
		node := parser.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			prefix = d.addTable(node)
		case unstable.KeyValue:
			d.addEntry(prefix, node, values, false)
		}
	}
	if err := parser.Error(); err != nil {
		return nil, &Problem{Origin: Origin{File: name, Line: 1}, fault: fault{err.Error(), "correct the file"}}
	}
	return d, nil
}

func syntaxProblem(name string, err error) error {
	line := 1
	if de, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ = de.Position()
	}
	cause := strings.TrimPrefix(err.Error(), "toml: ")
	return &Problem{Origin: Origin{File: name, Line: line}, fault: fault{cause, "correct the file: it must be TOML, see https://toml.io"}}
}

func (d *document) addTable(node *unstable.Node) []string {
	path, _, _, last := keyPath(node)
	end := len(d.data)
	if i := bytes.IndexByte(d.data[last:], '\n'); i >= 0 {
		end = last + i + 1
	}
	d.tables = append(d.tables, table{path, d.lineAt(last), d.lineStart(last), end, node.Kind == unstable.ArrayTable, false})
	return path
}

func (d *document) addEntry(prefix []string, node *unstable.Node, values map[string]any, inline bool) {
	path, start, lastStart, keyEnd := keyPath(node)
	full := append(append([]string{}, prefix...), path...)
	if value := node.Value(); value.Kind == unstable.InlineTable {
		it := value.Children()
		for it.Next() {
			d.addEntry(full, it.Node(), values, true)
		}
		// An inline table claims its name even when it is empty.
		d.tables = append(d.tables, table{full, d.lineAt(start), start, int(node.Raw.Offset) + int(node.Raw.Length), false, true})
		return
	}
	d.entries = append(d.entries, entry{
		path:       full,
		line:       d.lineAt(start),
		value:      lookup(values, full),
		start:      start,
		lastStart:  lastStart,
		valueStart: d.valueStart(keyEnd),
		valueEnd:   int(node.Raw.Offset) + int(node.Raw.Length),
		inline:     inline,
	})
}

// keyPath returns the segments of a node's key and where the first and the last of them
// stand.
func keyPath(node *unstable.Node) (path []string, start, lastStart, end int) {
	start = -1
	it := node.Key()
	for it.Next() {
		k := it.Node()
		lastStart = int(k.Raw.Offset)
		if start < 0 {
			start = lastStart
		}
		end = lastStart + int(k.Raw.Length)
		path = append(path, string(k.Data))
	}
	return path, start, lastStart, end
}

func (d *document) valueStart(keyEnd int) int {
	i := keyEnd + bytes.IndexByte(d.data[keyEnd:], '=') + 1
	for i < len(d.data) && (d.data[i] == ' ' || d.data[i] == '\t') {
		i++
	}
	return i
}

func (d *document) lineAt(offset int) int {
	return bytes.Count(d.data[:offset], []byte{'\n'}) + 1
}

func lookup(values map[string]any, path []string) any {
	var v any = values
	for _, segment := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[segment]
	}
	return v
}

// apply sets the document's values in s and notes their origins.
func (d *document) apply(s *Settings, layer Layer, layers trail) error {
	for _, t := range d.tables {
		if err := d.applyTable(s, t, layer); err != nil {
			return err
		}
	}
	for _, e := range d.entries {
		origin := Origin{Layer: layer, File: d.name, Line: e.line}
		if err := assign(s, e.path, e.value, origin); err != nil {
			return err
		}
		layers.note(s, e.key(), origin)
	}
	// A table written with dotted keys claims its instance too.
	for _, e := range d.entries {
		if name, _, ok := instanceKey(e.key()); ok {
			s.Providers[name].Implicit = false
		}
	}
	return nil
}

func (d *document) applyTable(s *Settings, t table, layer Layer) error {
	origin := Origin{Layer: layer, File: d.name, Line: t.line}
	key := strings.Join(t.path, ".")
	switch {
	case t.array:
		return &Problem{origin, key, fault{"there are no lists of tables here", fmt.Sprintf("write [%s] with single brackets", key)}}
	case key == "providers", key == "commands", key == "commands.create":
		return nil
	case t.names():
		if f := instanceName(t.path[1]); f != nil {
			return &Problem{origin, key, *f}
		}
		if s.Providers[t.path[1]] == nil {
			s.Providers[t.path[1]] = newProvider(t.path[1])
		}
		s.Providers[t.path[1]].Implicit = false
		return nil
	}
	return &Problem{origin, key, unknown(s, t.path)}
}

// names tells whether a table is a provider instance's, or the one of its cloud.
func (t table) names() bool {
	n := len(t.path)
	return n > 1 && t.path[0] == "providers" && (n == 2 || n == 3 && t.path[2] == "cloud")
}

// assign sets one key and checks its value alone.
func assign(s *Settings, path []string, value any, origin Origin) error {
	key := strings.Join(path, ".")
	if len(path) >= 3 && path[0] == "providers" {
		if f := instanceName(path[1]); f != nil {
			return &Problem{origin, key, *f}
		}
	}
	f, ok := field{}, false
	if !slices.ContainsFunc(path, func(segment string) bool { return strings.Contains(segment, ".") }) {
		f, ok = s.find(key, true)
	}
	if !ok {
		return &Problem{origin, key, unknown(s, path)}
	}
	if wrong := f.assign(value); wrong != nil {
		return &Problem{origin, key, *wrong}
	}
	if wrong := f.verify(); wrong != nil {
		return &Problem{origin, key, *wrong}
	}
	if name, rest, ok := instanceKey(key); ok {
		s.Providers[name].chooseCloud(rest)
	}
	return nil
}
