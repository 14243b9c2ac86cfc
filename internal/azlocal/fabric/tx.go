package fabric

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/store"
)

// Tx is a transaction. It lives only inside View or Update.
type Tx struct {
	w       *World
	touched map[string]json.RawMessage // store keys to write; the values of documents and operations come last
	undo    []func()
	after   []func()
	visible func(id string) bool // nil: the caller sees everything it may list
	fate    *Fate                // of the operation that this transaction answers with
	fated   bool
}

// Restrict limits lists to the rows that see allows.
func (t *Tx) Restrict(see func(id string) bool) { t.visible = see }

// Visible tells whether a list may show a row.
func (t *Tx) Visible(id string) bool { return t.visible == nil || t.visible(id) }

// World returns the world, for its settings.
func (t *Tx) World() *World { return t.w }

// Peek returns a document that the caller must not change, nil when absent.
func (t *Tx) Peek(id string) *Document {
	e := t.w.docs.byKey[arm.Key(id)]
	if e == nil {
		return nil
	}
	return t.w.docs.must(t.w.docs.get(e))
}

// Spell is an id as the first PUT of each of its parts spelled it.
func (t *Tx) Spell(id string) string {
	seg, out := arm.Segments(id), ""
	for len(seg) >= 2 {
		out += "/" + seg[0] + "/" + seg[1]
		if d := t.Peek(out); d != nil {
			out = d.ID
		}
		seg = seg[2:]
	}
	if len(seg) == 1 {
		out += "/" + seg[0]
	}
	return out
}

// Get returns a copy of a document, nil when absent.
func (t *Tx) Get(id string) *Document {
	d := t.Peek(id)
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
	old := t.Peek(d.ID)
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
	stored := &Document{ID: d.ID, Body: d.Body.Clone(), Hidden: d.Hidden.Clone(), Changed: t.w.Now().UTC()}
	stored.Created = stored.Changed
	if old != nil {
		stored.Created = old.Created
	}
	t.swap(d.ID, old, stored)
}

// Delete removes a document with what was kept beside it; an absent one is fine.
func (t *Tx) Delete(id string) {
	if old := t.Peek(id); old != nil {
		t.swap(id, old, nil)
		for _, key := range t.w.docs.kept[arm.Key(id)] {
			t.touched[key] = nil
		}
	}
}

func (t *Tx) swap(id string, old, new *Document) {
	key := arm.Key(id)
	set := func(from, to *Document) {
		t.w.note(from, -1)
		t.w.docs.set(key, to)
		t.w.note(to, 1)
	}
	set(old, new)
	t.undo = append(t.undo, func() { set(new, old) })
	t.touched[docPrefix+key] = nil // encoded when it is written
}

// Keep stores a text beside a document: a secret, or too large to be read with each look
// at the document. It goes with the document.
func (t *Tx) Keep(id, name, text string) error {
	data, err := json.Marshal(text)
	if err != nil {
		return fmt.Errorf("encode %s of %s: %w", name, id, err)
	}
	t.touched[keptKey(id, name)] = data
	return nil
}

// Kept returns a text that was kept beside a document before this transaction, "" when
// there is none.
func (t *Tx) Kept(id, name string) (text string) {
	data, err := t.w.store.Get(keptKey(id, name))
	if err == nil && data != nil {
		err = json.Unmarshal(data, &text)
	}
	if err != nil {
		panic(err) // as for a document that cannot be read
	}
	return text
}

// List yields the documents of a type below scope, sorted by id. The caller must not change
// them; it may store others and delete them meanwhile.
func (t *Tx) List(resourceType, scope string) iter.Seq2[int, *Document] {
	return t.each(t.w.docs.below(strings.ToLower(resourceType), scope, true))
}

// Below yields all documents under scope, scope itself not, sorted by id.
func (t *Tx) Below(scope string) iter.Seq2[int, *Document] {
	var all []*entry
	for resourceType := range t.w.docs.types {
		all = append(all, t.w.docs.below(resourceType, scope, false)...)
	}
	slices.SortFunc(all, compareEntries)
	return t.each(all)
}

func (t *Tx) each(all []*entry) iter.Seq2[int, *Document] {
	return func(yield func(int, *Document) bool) {
		for i, e := range all {
			if t.w.docs.byKey[e.key] == e && !yield(i, t.w.docs.must(t.w.docs.read(e))) {
				return
			}
		}
	}
}

// Count is the sum of what the documents' kinds count under a name.
func (t *Tx) Count(name string) int { return t.w.counts[name] }

// Referred tells how many refer to id.
func (t *Tx) Referred(id string) int { return t.w.refs.count(id) }

// Referrers returns who refers to id, sorted.
func (t *Tx) Referrers(id string) []string { return t.w.refs.from(id) }

// After runs f once the transaction is written, still under the lock: f must not block.
func (t *Tx) After(f func()) { t.after = append(t.after, f) }

func (t *Tx) rollback() {
	for _, f := range slices.Backward(t.undo) {
		f()
	}
	for key := range t.touched {
		if e := t.w.docs.byKey[strings.TrimPrefix(key, docPrefix)]; e != nil {
			e.mine = false
		}
	}
}

func (t *Tx) commit() error {
	var writes []store.Write
	for _, key := range slices.Sorted(maps.Keys(t.touched)) {
		value, err := t.stored(key)
		if err != nil {
			return err
		}
		writes = append(writes, store.Write{Key: key, Value: value})
	}
	if err := t.w.store.Commit(writes); err != nil {
		return err
	}
	for _, w := range writes {
		t.w.docs.written(w.Key, len(w.Value))
		if id, ok := strings.CutPrefix(w.Key, opPrefix); ok {
			t.w.ops.written(id)
		}
	}
	return nil
}

func (t *Tx) stored(key string) (json.RawMessage, error) {
	if id, ok := strings.CutPrefix(key, opPrefix); ok {
		op := t.w.ops.running[id]
		if op == nil {
			return nil, nil
		}
		data, err := json.Marshal(op)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", key, err)
		}
		return data, nil
	}
	docKey, ok := strings.CutPrefix(key, docPrefix)
	if !ok {
		return t.touched[key], nil
	}
	if e := t.w.docs.byKey[docKey]; e != nil {
		return e.doc.encode()
	}
	return nil, nil
}

func keptKey(id, name string) string { return keptPrefix + arm.Key(id) + "#" + name }
