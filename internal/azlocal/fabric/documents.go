package fabric

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/store"
)

// cacheBytes is how many bytes of documents, as they are stored, are kept decoded; in
// memory they take several times as much. A page of a thousand machines fits.
const cacheBytes = 5 << 20

// documents are the resources by key and by type. They lie in the store; in memory is what
// finds them, and those that were looked at last. The world's lock guards them.
type documents struct {
	store  *store.Store
	decode doc.Decoder
	byKey  map[string]*entry
	types  map[string][]*entry // sorted by key
	kept   map[string][]string // store keys of what is kept beside a document

	recent []*entry // candidates for being forgotten, the oldest first
	cached int      // bytes of documents that are decoded
}

// entry is a document that exists.
type entry struct {
	key  string
	doc  *Document // nil: only in the store
	size int       // bytes that count as cached
	used bool      // since it was last spared
	mine bool      // the store does not have it yet
}

func newDocuments(s *store.Store) documents {
	d := documents{store: s, byKey: map[string]*entry{}, types: map[string][]*entry{}, kept: map[string][]string{}}
	for key := range s.Keys() {
		d.keep(key)
	}
	return d
}

func compareEntries(a, b *entry) int { return strings.Compare(a.key, b.key) }

// add enters a document of the store. sort comes when all are there.
func (d *documents) add(key string) {
	e, t := &entry{key: key}, typeKey(key)
	d.byKey[key] = e
	d.types[t] = append(d.types[t], e)
}

func (d *documents) sort() {
	for _, all := range d.types {
		slices.SortFunc(all, compareEntries)
	}
}

func (d *documents) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for _, all := range d.types {
			for _, e := range all {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// below returns the entries of a type below scope, sorted by key; with self the scope too.
func (d *documents) below(resourceType, scope string, self bool) []*entry {
	all, scope := d.types[resourceType], arm.Key(scope)
	if scope == "" {
		return slices.Clone(all)
	}
	at := func(key string) int {
		i, _ := slices.BinarySearchFunc(all, key, func(e *entry, key string) int { return strings.Compare(e.key, key) })
		return i
	}
	out := slices.Clone(all[at(scope+"/"):at(scope+"0")]) // "0" follows "/"
	if e := d.byKey[scope]; self && e != nil && typeKey(scope) == resourceType {
		out = slices.Insert(out, 0, e)
	}
	return out
}

// get returns a document and keeps it in memory for a while.
func (d *documents) get(e *entry) (*Document, error) {
	if e.doc == nil {
		read, err := d.read(e)
		if err != nil {
			return nil, err
		}
		e.doc = read
		d.remember(e, d.store.Size(docPrefix+e.key))
		if d.cached > 2*cacheBytes {
			d.trim()
		}
	}
	e.used = true
	return e.doc, nil
}

// read returns a document without keeping it, for looks at all of them.
func (d *documents) read(e *entry) (*Document, error) { return d.skim(e, math.MaxInt) }

// skim is read for the outer levels of a document: see doc.Decoder.
func (d *documents) skim(e *entry, levels int) (*Document, error) {
	if e.doc != nil {
		return e.doc, nil
	}
	data, err := d.store.Get(docPrefix + e.key)
	if err != nil {
		return nil, err
	}
	o, err := d.decode.Skim(data, levels)
	if err != nil {
		return nil, fmt.Errorf("read the document %s: %w", e.key, err)
	}
	return &Document{ID: o.Str("id"), Body: o.Obj("body"), Hidden: o.Obj("hidden"),
		Created: storedTime(o.Str("created")), Changed: storedTime(o.Str("changed"))}, nil
}

// storedTime is a time as encode wrote it, zero for one that is not there.
func storedTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// must panics when a document cannot be read: the disk is broken. The request ends in a
// cut connection, a transaction is rolled back, and an operation takes the daemon down
// rather than going on with half of the state.
func (d *documents) must(read *Document, err error) *Document {
	if err != nil {
		panic(err)
	}
	return read
}

// set replaces a document in memory. Until it is written, nothing forgets it.
func (d *documents) set(key string, to *Document) {
	e := d.byKey[key]
	switch {
	case e != nil && to != nil:
		e.doc, e.mine = to, true
	case to != nil:
		e = &entry{key: key, doc: to, mine: true}
		t := typeKey(key)
		d.byKey[key] = e
		i, _ := slices.BinarySearchFunc(d.types[t], e, compareEntries)
		d.types[t] = slices.Insert(d.types[t], i, e)
	case e != nil:
		t := typeKey(key)
		delete(d.byKey, key)
		if i, ok := slices.BinarySearchFunc(d.types[t], e, compareEntries); ok {
			d.types[t] = slices.Delete(d.types[t], i, i+1)
		}
		d.cached -= e.size
		e.doc, e.size = nil, 0
	}
}

// written notes that the store has what stands under one of its keys.
func (d *documents) written(storeKey string, size int) {
	if key, ok := strings.CutPrefix(storeKey, docPrefix); ok {
		if e := d.byKey[key]; e != nil && e.doc != nil {
			e.mine = false
			d.remember(e, size)
		}
		return
	}
	if size > 0 {
		d.keep(storeKey)
	} else if id, ok := keptID(storeKey); ok {
		delete(d.kept, id)
	}
}

func (d *documents) keep(storeKey string) {
	if id, ok := keptID(storeKey); ok && !slices.Contains(d.kept[id], storeKey) {
		d.kept[id] = append(d.kept[id], storeKey)
	}
}

func keptID(storeKey string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(storeKey, keptPrefix)
	if !ok {
		return "", false
	}
	id, _, ok = strings.Cut(rest, "#")
	return id, ok
}

func (d *documents) remember(e *entry, size int) {
	if e.size == 0 {
		d.recent = append(d.recent, e)
	}
	d.cached += size - e.size
	e.size, e.used = size, true
}

// trim forgets documents that nobody has looked at for longest.
func (d *documents) trim() {
	for range 2 * len(d.recent) {
		if d.cached <= cacheBytes {
			return
		}
		e := d.recent[0]
		d.recent = d.recent[1:]
		switch {
		case e.size == 0: // deleted
		case e.used || e.mine:
			e.used = false
			d.recent = append(d.recent, e)
		default:
			d.cached -= e.size
			e.doc, e.size = nil, 0
		}
	}
}

// encode is a document as the store has it.
func (d *Document) encode() ([]byte, error) {
	all := doc.Object{"id": d.ID, "body": d.Body}
	for name, at := range map[string]time.Time{"created": d.Created, "changed": d.Changed} {
		if !at.IsZero() {
			all[name] = at.Format(time.RFC3339Nano)
		}
	}
	if len(d.Hidden) > 0 {
		all["hidden"] = d.Hidden
	}
	data, err := doc.Append(make([]byte, 0, 4096), all)
	if err != nil {
		return nil, fmt.Errorf("encode the document %s: %w", d.ID, err)
	}
	return slices.Clip(data), nil
}
