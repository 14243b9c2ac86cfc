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
	// Counts is what the document adds to the counters that Tx.Count reads.
	Counts func(*Document) []Count
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

// Count is a number of something that a document stands for: cores in a region, say.
type Count struct {
	Name string
	N    int
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

// index finds who refers to an id: by the key of the target, the referrers.
type index map[string]referrers

// referrers are ids with the number of their references. Most targets have one, so that it
// needs no map.
type referrers struct {
	one  string
	n    int
	more map[string]int // all of them, when there have been several
}

// add enters a reference, or with -1 takes it out.
func (x index) add(r Ref, sign int) {
	to := arm.Key(r.To)
	all := x[to]
	switch {
	case all.more != nil:
		if all.more[r.From] += sign; all.more[r.From] <= 0 {
			delete(all.more, r.From)
		}
	case all.n == 0 || all.one == r.From:
		all.one, all.n = r.From, all.n+sign
	case sign > 0:
		all.more = map[string]int{all.one: all.n, r.From: sign}
	}
	if all.n <= 0 || all.more != nil && len(all.more) == 0 {
		delete(x, to)
		return
	}
	x[to] = all
}

func (x index) count(id string) int {
	all := x[arm.Key(id)]
	if all.more != nil {
		return len(all.more)
	}
	return min(all.n, 1)
}

func (x index) from(id string) []string {
	all := x[arm.Key(id)]
	switch {
	case all.more != nil:
		return slices.Sorted(maps.Keys(all.more))
	case all.n > 0:
		return []string{all.one}
	}
	return nil
}
