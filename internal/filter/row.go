package filter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Row is one entry of a listing as its JSON shows it. Whole numbers are int64. What is
// null is left out, so that has() tells whether it is known.
type Row map[string]any

// RowOf makes a row of a value that encodes to a JSON object.
func RowOf(v any) (Row, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("make a row: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("make a row: %w", err)
	}
	return Row(plain(m).(map[string]any)), nil
}

func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
			} else {
				v[key] = plain(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	}
	return v
}

// Get reads a dotted path; nil for what is not there. The part of a path below a map of
// free keys is one key, dots included.
func (r Row) Get(path string) any {
	var v any = map[string]any(r)
	for path != "" {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		if whole, ok := m[path]; ok {
			return whole
		}
		var key string
		key, path, _ = strings.Cut(path, ".")
		if v, ok = m[key]; !ok {
			return nil
		}
	}
	return v
}

// Project keeps the paths only, in the shape that the row has. Every path is in the
// result, null where the row has nothing.
func (r Row) Project(s Schema, paths []string) map[string]any {
	out := map[string]any{}
	for _, path := range paths {
		at, keys := out, s.split(path)
		for _, key := range keys[:len(keys)-1] {
			next, ok := at[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[key] = next
			}
			at = next
		}
		if last := keys[len(keys)-1]; at[last] == nil {
			at[last] = r.Get(path)
		}
	}
	return out
}
