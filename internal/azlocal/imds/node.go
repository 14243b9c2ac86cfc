package imds

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// instance answers a node of the metadata document: as JSON, or with format=text a leaf or
// the names below.
func (h *Handler) instance(w http.ResponseWriter, r *http.Request, d *fabric.Document) {
	var node any
	h.World.View(func(t *fabric.Tx) { node = instance(t, d) })
	for _, step := range arm.Segments(r.URL.Path)[2:] {
		below, ok := child(node, step)
		if !ok {
			write(w, http.StatusNotFound, doc.Object{"error": "Not found"})
			return
		}
		node = below
	}
	leaf, isLeaf := node.(string)
	switch format := r.URL.Query().Get("format"); {
	case strings.EqualFold(format, "text"):
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if !isLeaf {
			leaf = strings.Join(names(node), "\n")
		}
		_, _ = w.Write([]byte(leaf)) // the guest is gone when this fails
	case format != "" && !strings.EqualFold(format, "json"):
		write(w, http.StatusBadRequest, doc.Object{"error": "Bad request. The format '" + format + "' is not supported"})
	case isLeaf:
		// documentation: for leaf nodes, format=json does not work, and it is the default
		write(w, http.StatusBadRequest, doc.Object{"error": "Bad request. A leaf is only available with format=text"})
	default:
		write(w, http.StatusOK, node)
	}
}

// child is the node below another, by name or, in an array, by number.
func child(node any, step string) (any, bool) {
	switch n := node.(type) {
	case doc.Object:
		for k, v := range n {
			if strings.EqualFold(k, step) {
				return v, true
			}
		}
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n) {
			return n[i], true
		}
	}
	return nil, false
}

// names lists what is below a node; what has more below ends in a slash.
func names(node any) []string {
	var out []string
	add := func(name string, v any) {
		if _, leaf := v.(string); !leaf {
			name += "/"
		}
		out = append(out, name)
	}
	switch n := node.(type) {
	case doc.Object:
		for k, v := range n {
			add(k, v)
		}
		slices.Sort(out)
	case []any:
		for i, v := range n {
			add(fmt.Sprint(i), v)
		}
	}
	return out
}
