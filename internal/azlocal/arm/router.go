package arm

import (
	"iter"
	"slices"
	"strings"
)

// Router finds routes as ARM does: without case in literals, with any number of slashes
// between segments. It is immutable after the last Add.
type Router[T any] struct {
	routes []entry[T]
}

type entry[T any] struct {
	method string
	scoped bool     // the pattern starts with {scope}
	path   []string // literals, or {name}
	id     int      // how many segments make the id
	target T
}

// Match is a route that was found.
type Match[T any] struct {
	Target T
	Params map[string]string
	// ID is the part of the path before the pattern's "|", with the pattern's own
	// spelling of literals and the client's spelling of names.
	ID string
}

// Add registers a route. In pattern a segment {name} matches anything, a leading {scope}
// any number of segments, and what follows "|" is an action, not part of the id.
func (r *Router[T]) Add(method, pattern string, target T) {
	idPart, action, _ := strings.Cut(pattern, "|")
	e := entry[T]{method: method, target: target, path: Segments(idPart)}
	e.id = len(e.path)
	e.path = append(e.path, Segments(action)...)
	if len(e.path) > 0 && e.path[0] == "{scope}" {
		e.scoped, e.path, e.id = true, e.path[1:], e.id-1
	}
	r.routes = append(r.routes, e)
}

// All yields every target.
func (r *Router[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, e := range r.routes {
			if !yield(e.target) {
				return
			}
		}
	}
}

// Find returns the route of a request. Without one, other tells whether the path exists
// for another method.
func (r *Router[T]) Find(method, path string) (m Match[T], found, other bool) {
	seg := Segments(path)
	for _, e := range r.routes {
		rest, scope := seg, []string(nil)
		if e.scoped {
			if len(seg) < len(e.path) {
				continue
			}
			cut := len(seg) - len(e.path)
			scope, rest = seg[:cut], seg[cut:]
		}
		params, canonical, ok := e.match(rest)
		if !ok {
			continue
		}
		if e.method != method {
			other = true
			continue
		}
		if e.scoped {
			params["scope"] = join(scope)
			canonical = slices.Concat(scope, canonical)
		}
		return Match[T]{Target: e.target, Params: params, ID: join(canonical)}, true, false
	}
	return m, false, other
}

func (e *entry[T]) match(seg []string) (params map[string]string, canonical []string, ok bool) {
	if len(seg) != len(e.path) {
		return nil, nil, false
	}
	for i, want := range e.path {
		if want[0] != '{' && !strings.EqualFold(want, seg[i]) {
			return nil, nil, false
		}
	}
	params = map[string]string{}
	for i, want := range e.path {
		got := want
		if want[0] == '{' {
			got = seg[i]
			params[want[1:len(want)-1]] = got
		}
		if i < e.id {
			canonical = append(canonical, got)
		}
	}
	return params, canonical, true
}

func join(seg []string) string {
	if len(seg) == 0 {
		return ""
	}
	return "/" + strings.Join(seg, "/")
}
