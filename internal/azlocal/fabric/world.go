package fabric

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/store"
)

// Document is a resource.
type Document struct {
	ID     string     `json:"id"`               // spelled as in the first PUT
	Body   doc.Object `json:"body"`             // what is answered
	Hidden doc.Object `json:"hidden,omitempty"` // what is never answered: customData, power state
}

// Tags returns the resource's tags.
func (d *Document) Tags() map[string]string { return d.Body.Tags("tags") }

// Config is what a World is made of.
type Config struct {
	Subscription string
	Tenant       string
	Public       netip.Prefix // where public IP addresses come from
	Switches     Switches
	Settings     *Settings
	Faults       *fault.Book // nil: none
	Log          *slog.Logger
	Now          func() time.Time
}

// World is the state of the local Azure.
type World struct {
	Config
	kinds map[string]*Kind
	jobs  map[string]Job

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu     sync.Mutex
	store  *store.Store
	docs   documents
	refs   index
	counts map[string]int // what kinds count, by name
	ops    operations
}

const (
	docPrefix  = "doc:"
	opPrefix   = "op:"
	keptPrefix = "kept:"
)

// New reads the state from s. The caller registers kinds and jobs, then calls Index and
// Resume.
func New(cfg Config, s *store.Store) (*World, error) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &World{
		Config: cfg, store: s, ctx: ctx, cancel: cancel,
		kinds: map[string]*Kind{}, jobs: map[string]Job{},
		docs: newDocuments(s), refs: index{}, counts: map[string]int{}, ops: newOperations(s),
	}
	s.Trouble = func(err error) { w.Log.Error("the store grows", "cause", err) }
	for key := range s.Keys() {
		if docKey, ok := strings.CutPrefix(key, docPrefix); ok {
			w.docs.add(docKey)
		} else if id, ok := strings.CutPrefix(key, opPrefix); ok {
			if err := w.ops.load(id); err != nil {
				cancel()
				return nil, err
			}
		}
	}
	w.docs.sort()
	w.ops.sort()
	return w, nil
}

// Index finds who refers to whom in what was read. The kinds are registered by then, and
// no transaction has run.
func (w *World) Index() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := range w.docs.all() {
		d, err := w.docs.read(e)
		if err != nil {
			return err
		}
		w.note(d, 1)
	}
	return nil
}

// Resume starts again the operations that a crash interrupted.
func (w *World) Resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range w.ops.running {
		if w.ops.runs[op.ID] == nil {
			w.launch(*op)
		}
	}
}

// Close stops what runs, waits for it and closes the store. Operations under way stay in
// progress; the next Resume takes them up.
func (w *World) Close() error {
	w.cancel()
	w.tasks.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.store.Close()
}

// Context ends when the world is closed.
func (w *World) Context() context.Context { return w.ctx }

// Go runs f in the background until it returns; its context ends when the world is closed.
func (w *World) Go(f func(context.Context)) {
	if w.ctx.Err() == nil {
		w.tasks.Go(func() { f(w.ctx) })
	}
}

// View runs f under the lock, for reading.
func (w *World) View(f func(*Tx)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.docs.trim()
	f(&Tx{w: w})
}

// Update runs f as one transaction: when f or the write to the store fails, nothing of
// it has happened.
func (w *World) Update(f func(*Tx) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.docs.trim()
	tx := &Tx{w: w, touched: map[string]json.RawMessage{}}
	committed := false
	defer func() { // also when f panics: the server survives it, and so must the state
		if !committed {
			tx.rollback()
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.commit(); err != nil {
		return err
	}
	committed = true
	for _, after := range tx.after {
		after()
	}
	return nil
}

// note enters a document into the indices, or with -1 takes it out.
func (w *World) note(d *Document, sign int) {
	if d == nil {
		return
	}
	k := w.KindOf(d.ID)
	if k == nil {
		return
	}
	if k.Refs != nil {
		for _, r := range k.Refs(d) {
			w.refs.add(r, sign)
		}
	}
	if k.Counts != nil {
		for _, c := range k.Counts(d) {
			if w.counts[c.Name] += sign * c.N; w.counts[c.Name] == 0 {
				delete(w.counts, c.Name)
			}
		}
	}
}

func typeKey(id string) string { return strings.ToLower(arm.ParseID(id).Type()) }
