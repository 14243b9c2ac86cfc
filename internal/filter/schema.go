package filter

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"mngr/internal/agent"
)

// Schema is what rows can have.
type Schema struct {
	Paths []string // leaves, dotted, and the objects above them
	Maps  []string // of these, the ones below which any key may stand
}

// SchemaOf reads the JSON tags of a struct; more are paths that rows get besides.
func SchemaOf(row any, more ...string) Schema {
	var s Schema
	s.walk(reflect.TypeOf(row), "")
	s.Paths = append(s.Paths, more...)
	return s
}

func (s *Schema) walk(t reflect.Type, prefix string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := prefix + name
		s.Paths = append(s.Paths, path)
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch {
		case kind.Kind() == reflect.Map:
			s.Maps = append(s.Maps, path)
		case kind.Kind() == reflect.Struct && kind != reflect.TypeFor[time.Time]():
			s.walk(kind, path+".")
		}
	}
}

// Has tells whether a row can have a path.
func (s Schema) Has(path string) bool {
	return slices.Contains(s.Paths, path) || slices.ContainsFunc(s.Maps, func(m string) bool {
		return len(path) > len(m)+1 && strings.HasPrefix(path, m+".")
	})
}

// Check refuses paths that no row can have, and names those that one can.
func (s Schema) Check(paths ...string) error {
	for _, p := range paths {
		if !s.Has(p) {
			return agent.Errorf(agent.KindUsage, "a listing has no field %q", p).WithHint("fields: %s", strings.Join(s.Names(), ", "))
		}
	}
	return nil
}

// Names lists the paths for a reader: KEY stands for any key.
func (s Schema) Names() []string {
	var names []string
	for _, p := range s.Paths {
		if slices.Contains(s.Maps, p) {
			names = append(names, p, p+".KEY")
			continue
		}
		names = append(names, p)
	}
	return names
}

// split cuts a path at its dots, but for the free key at its end.
func (s Schema) split(path string) []string {
	for _, m := range s.Maps {
		if key, ok := strings.CutPrefix(path, m+"."); ok {
			return append(strings.Split(m, "."), key)
		}
	}
	return strings.Split(path, ".")
}
