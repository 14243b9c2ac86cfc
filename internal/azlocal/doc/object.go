// Package doc handles JSON objects whose fields this server mostly passes through.
//
// ARM returns what it was given plus what it computed, so documents stay maps instead of
// structs: a field that nobody here knows survives a round trip. Every package under
// internal/azlocal may import it.
package doc

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Object is a JSON object.
type Object map[string]any

// Parse decodes one JSON object.
func Parse(data []byte) (Object, error) {
	var o Object
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, fmt.Errorf("decode a JSON object: %w", err)
	}
	return o, nil
}

// Get returns the value at path, nil when a step is missing or no object.
func (o Object) Get(path ...string) any {
	var v any = o
	for _, step := range path {
		m := asObject(v)
		if m == nil {
			return nil
		}
		v = m[step]
	}
	return v
}

// Str returns the string at path, "" when it is absent or no string.
func (o Object) Str(path ...string) string {
	s, _ := o.Get(path...).(string)
	return s
}

// Bool returns the boolean at path, false when absent.
func (o Object) Bool(path ...string) bool {
	b, _ := o.Get(path...).(bool)
	return b
}

// Int returns the number at path, 0 when it is absent or no number.
func (o Object) Int(path ...string) int {
	switch n := o.Get(path...).(type) {
	case float64:
		return int(n)
	case int:
		return n
	}
	return 0
}

// Obj returns the object at path, nil when absent. Writing into it changes o.
func (o Object) Obj(path ...string) Object { return asObject(o.Get(path...)) }

// List returns the array at path as objects; elements that are no objects are left out.
func (o Object) List(path ...string) []Object {
	var out []Object
	switch list := o.Get(path...).(type) {
	case []any:
		for _, v := range list {
			if m := asObject(v); m != nil {
				out = append(out, m)
			}
		}
	case []Object:
		return list
	}
	return out
}

// Strings returns the array of strings at path.
func (o Object) Strings(path ...string) []string {
	var out []string
	switch list := o.Get(path...).(type) {
	case []any:
		for _, v := range list {
			if s, ok := v.(string); ok {
				out = append(out, s)
			}
		}
	case []string:
		return list
	}
	return out
}

// Set stores value at path and makes the objects on the way.
func (o Object) Set(value any, path ...string) {
	m := o
	for _, step := range path[:len(path)-1] {
		next := asObject(m[step])
		if next == nil {
			next = Object{}
			m[step] = next
		}
		m = next
	}
	m[path[len(path)-1]] = value
}

// Default stores value at path unless something is there.
func (o Object) Default(value any, path ...string) {
	if o.Get(path...) == nil {
		o.Set(value, path...)
	}
}

// Drop removes the key at path.
func (o Object) Drop(path ...string) {
	if m := o.Obj(path[:len(path)-1]...); m != nil {
		delete(m, path[len(path)-1])
	}
}

// Keep returns a copy of o that has only the named keys.
func (o Object) Keep(keys ...string) Object {
	out := Object{}
	for k, v := range o {
		if slices.Contains(keys, k) {
			out[k] = v
		}
	}
	return out
}

// Clone copies o deeply.
func (o Object) Clone() Object {
	if o == nil {
		return nil
	}
	return clone(o).(Object)
}

// Tags returns the strings of an object of strings, such as tags.
func (o Object) Tags(path ...string) map[string]string {
	out := map[string]string{}
	for k, v := range o.Obj(path...) {
		out[k], _ = v.(string)
	}
	return out
}

// OfStrings turns a map of strings into an object.
func OfStrings(m map[string]string) Object {
	out := Object{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func asObject(v any) Object {
	switch m := v.(type) {
	case Object:
		return m
	case map[string]any:
		return m
	}
	return nil
}

func clone(v any) any {
	switch t := v.(type) {
	case Object:
		out := make(Object, len(t))
		for k, e := range t {
			out[k] = clone(e)
		}
		return out
	case map[string]any:
		return clone(Object(t))
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = clone(e)
		}
		return out
	case []Object:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = clone(e)
		}
		return out
	}
	return v
}
