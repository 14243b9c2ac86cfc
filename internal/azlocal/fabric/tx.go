package fabric

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/store"
)

// Tx is a transaction. It lives only inside View or Update.
type Tx struct {
	w       *World
	touched map[string]bool // store keys to write
	undo    []func()
	after   []func()
	visible func(id string) bool // nil: the caller sees everything it may list
	fate    *Fate                // of the operation that this transaction answers with
	fated   bool
	kept    map[string]any // of the ledger, by store key; nil values go
	cause   Cause          // of the operations that are begun
}

// Restrict limits lists to the rows that see allows.
func (t *Tx) Restrict(see func(id string) bool) { t.visible = see }

// Visible tells whether a list may show a row.
func (t *Tx) Visible(id string) bool { return t.visible == nil || t.visible(id) }

// World returns the world, for its settings.
func (t *Tx) World() *World { return t.w }

// Peek returns a document that the caller must not change, nil when absent.
func (t *Tx) Peek(id string) *Document { return t.w.lookup(id) }

// Get returns a copy of a document, nil when absent.
func (t *Tx) Get(id string) *Document {
	d := t.w.lookup(id)
	if d == nil {
		return nil
	}
	return &Document{ID: d.ID, Body: d.Body.Clone(), Hidden: d.Hidden.Clone()}
}

// Find is Get with a 404 for what is absent.
func (t *Tx) Find(id string) (*Document, error) {
	if d := t.Get(id); d != nil {
		return d, nil
	}
	return nil, arm.NotFound(id)
}

// Put stores d and gives it a new ETag when its kind has one.
func (t *Tx) Put(d *Document) {
	old := t.w.lookup(d.ID)
	if old != nil {
		d.ID = old.ID
	}
	if k := t.w.KindOf(d.ID); k != nil && k.ETag != nil {
		before := ""
		if old != nil {
			before = old.Body.Str("etag")
		}
		d.Body["etag"] = k.ETag(before)
	}
	t.swap(d.ID, old, &Document{ID: d.ID, Body: d.Body.Clone(), Hidden: d.Hidden.Clone()})
}

// Delete removes a document; an absent one is fine.
func (t *Tx) Delete(id string) {
	if old := t.w.lookup(id); old != nil {
		t.swap(id, old, nil)
	}
}

func (t *Tx) swap(id string, old, new *Document) {
	set := func(from, to *Document) {
		if from != nil {
			t.w.refs.remove(t.w.refsOf(from))
			delete(t.w.docs[typeKey(id)], arm.Key(id))
		}
		if to != nil {
			t.w.place(to)
			t.w.refs.add(t.w.refsOf(to))
		}
	}
	set(old, new)
	t.undo = append(t.undo, func() { set(new, old) })
	t.touched[docPrefix+arm.Key(id)] = true
}

// List returns the documents of a type below scope, sorted by id. The caller must not
// change them.
func (t *Tx) List(resourceType, scope string) []*Document {
	byID := t.w.docs[strings.ToLower(resourceType)]
	var out []*Document
	for _, key := range slices.Sorted(maps.Keys(byID)) {
		if arm.Within(key, scope) {
			out = append(out, byID[key])
		}
	}
	return out
}

// Below returns all documents under scope, scope itself not, sorted by id.
func (t *Tx) Below(scope string) []*Document {
	var out []*Document
	for _, byID := range t.w.docs {
		for key, d := range byID {
			if key != arm.Key(scope) && arm.Within(key, scope) {
				out = append(out, d)
			}
		}
	}
	slices.SortFunc(out, func(a, b *Document) int { return strings.Compare(arm.Key(a.ID), arm.Key(b.ID)) })
	return out
}

// Referrers returns who refers to id, sorted.
func (t *Tx) Referrers(id string) []string { return t.w.refs.from(id) }

// After runs f once the transaction is written, still under the lock: f must not block.
func (t *Tx) After(f func()) { t.after = append(t.after, f) }

func (t *Tx) rollback() {
	for _, f := range slices.Backward(t.undo) {
		f()
	}
}

func (t *Tx) commit() error {
	t.tellLedger()
	writes, err := t.ledgerWrites()
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(t.touched)) {
		value, err := t.stored(key)
		if err != nil {
			return err
		}
		writes = append(writes, store.Write{Key: key, Value: value})
	}
	return t.w.store.Commit(writes)
}

func (t *Tx) stored(key string) (json.RawMessage, error) {
	var v any
	if id, ok := strings.CutPrefix(key, opPrefix); ok {
		if op := t.w.ops[id]; op != nil {
			v = op
		}
	} else if d := t.w.lookup(strings.TrimPrefix(key, docPrefix)); d != nil {
		v = d
	}
	if v == nil {
		return nil, nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", key, err)
	}
	return data, nil
}
