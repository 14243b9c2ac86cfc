package fabric

import (
	"maps"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
)

// Kind is what the fabric must know of a resource type.
type Kind struct {
	Type string // "Microsoft.Network/networkInterfaces"
	// Refs lists what the document refers to, so that back references never go stale.
	Refs func(*Document) []Ref
	// ETag makes the next ETag; nil for types without.
	ETag func(old string) string
	// Render is the document as a GET answers it; nil answers the body.
	Render func(*Tx, *Document) doc.Object
	// Remove starts the deletion, or refuses it. The operation's id is "" when it is done
	// at once. A group's deletion and a machine's cascade go through it as well.
	Remove func(*Tx, *Document, RemoveOptions) (operation string, err error)
	// SetTags replaces a resource's tags; nil stores them at once.
	SetTags func(*Tx, *Document, map[string]string) error
	// Tracked types show in the list of a group's resources and go with the group.
	Tracked bool
}

// RemoveOptions are circumstances of a deletion.
type RemoveOptions struct {
	Force     bool
	Principal arm.Principal
}

// Ref says that From (a resource or a part of one) refers to To.
type Ref struct{ From, To string }

// Register adds kinds, before Resume.
func (w *World) Register(kinds ...*Kind) {
	for _, k := range kinds {
		w.kinds[strings.ToLower(k.Type)] = k
	}
}

// KindOf returns the kind of an id, nil when unknown.
func (w *World) KindOf(id string) *Kind { return w.kinds[typeKey(id)] }

// Render is a document as a GET answers it.
func (t *Tx) Render(d *Document) doc.Object {
	if k := t.w.KindOf(d.ID); k != nil && k.Render != nil {
		return k.Render(t, d)
	}
	return d.Body
}

// SetTags replaces a resource's tags as its kind does it. The tags are valid.
func (t *Tx) SetTags(d *Document, tags map[string]string) error {
	if k := t.w.KindOf(d.ID); k != nil && k.SetTags != nil {
		return k.SetTags(t, d, tags)
	}
	d.Body["tags"] = doc.OfStrings(tags)
	t.Put(d)
	return nil
}

func (w *World) refsOf(d *Document) []Ref {
	if k := w.KindOf(d.ID); k != nil && k.Refs != nil {
		return k.Refs(d)
	}
	return nil
}

// index finds who refers to an id: key of the target, then the referrer's id and count.
type index map[string]map[string]int

func (x index) add(refs []Ref) {
	for _, r := range refs {
		to := arm.Key(r.To)
		if x[to] == nil {
			x[to] = map[string]int{}
		}
		x[to][r.From]++
	}
}

func (x index) remove(refs []Ref) {
	for _, r := range refs {
		to := arm.Key(r.To)
		if x[to][r.From]--; x[to][r.From] <= 0 {
			delete(x[to], r.From)
		}
		if len(x[to]) == 0 {
			delete(x, to)
		}
	}
}

func (x index) from(id string) []string { return slices.Sorted(maps.Keys(x[arm.Key(id)])) }
