package fabric

import (
	"context"
	"encoding/json"
	"fmt"
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
	Ledger       Ledger      // nil: none
	// Act does to the machine that an id concerns what a fault says. nil: nothing is done.
	Act   func(ctx context.Context, what fault.Kind, id, by string)
	Ended func(Operation) // hears of operations that ended and have a cause; under the lock. nil: nobody
	Log   *slog.Logger
	Now   func() time.Time
}

// World is the state of the local Azure.
type World struct {
	Config
	kinds map[string]*Kind
	jobs  map[string]Job

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu    sync.Mutex
	store *store.Store
	docs  map[string]map[string]*Document // type, then key of the id
	refs  index
	ops   map[string]*Operation
	runs  map[string]*run   // operations under way, by id
	last  map[string]*run   // the newest run of a target, by key
	busy  map[string]string // operation in progress on a target, by key
}

const (
	docPrefix = "doc:"
	opPrefix  = "op:"
)

// New reads the state from s. The caller registers kinds and jobs, then calls Index and
// Resume.
func New(cfg Config, s *store.Store) (*World, error) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &World{
		Config: cfg, store: s, ctx: ctx, cancel: cancel,
		kinds: map[string]*Kind{}, jobs: map[string]Job{},
		docs: map[string]map[string]*Document{}, refs: index{},
		ops: map[string]*Operation{}, runs: map[string]*run{}, last: map[string]*run{}, busy: map[string]string{},
	}
	for k, raw := range s.All() {
		if err := w.loadOne(k, raw); err != nil {
			cancel()
			return nil, err
		}
	}
	return w, nil
}

func (w *World) loadOne(key string, raw json.RawMessage) error {
	switch {
	case strings.HasPrefix(key, docPrefix):
		d := &Document{}
		if err := json.Unmarshal(raw, d); err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		w.place(d)
	case strings.HasPrefix(key, opPrefix):
		op := &Operation{}
		if err := json.Unmarshal(raw, op); err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		w.ops[op.ID] = op
		if !op.Terminal() {
			w.busy[arm.Key(op.Target)] = op.ID
		}
	case strings.HasPrefix(key, ledgerPrefix) && w.Ledger != nil:
		return w.Ledger.Load(strings.TrimPrefix(key, ledgerPrefix), raw)
	}
	return nil
}

// Index finds who refers to whom in what was read. The kinds are registered by then, and
// no transaction has run.
func (w *World) Index() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, byID := range w.docs {
		for _, d := range byID {
			w.refs.add(w.refsOf(d))
		}
	}
}

// Resume starts again the operations that a crash interrupted.
func (w *World) Resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range w.ops {
		if !op.Terminal() && w.runs[op.ID] == nil {
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
	f(&Tx{w: w})
}

// Update runs f as one transaction: when f or the write to the store fails, nothing of
// it has happened.
func (w *World) Update(f func(*Tx) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	tx := &Tx{w: w, touched: map[string]bool{}}
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

func (w *World) place(d *Document) {
	t := typeKey(d.ID)
	if w.docs[t] == nil {
		w.docs[t] = map[string]*Document{}
	}
	w.docs[t][arm.Key(d.ID)] = d
}

func (w *World) lookup(id string) *Document { return w.docs[typeKey(id)][arm.Key(id)] }

func typeKey(id string) string { return strings.ToLower(arm.ParseID(id).Type()) }
