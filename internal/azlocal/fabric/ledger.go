package fabric

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mngr/internal/azlocal/store"
)

// Ledger draws conclusions from changes, such as what they cost, and keeps them with the
// state: in the same transaction, so that no crash comes between. Its methods run under
// the world's lock.
type Ledger interface {
	// Load takes back what Tx.Book was given.
	Load(key string, raw json.RawMessage) error
	// Changed hears which documents a transaction has put or deleted, before it is written.
	// It must not change documents.
	Changed(t *Tx, ids []string)
}

const ledgerPrefix = "ledger:"

func (w *World) loadLedger(key string) error {
	if w.Ledger == nil {
		return nil
	}
	raw, err := w.store.Get(ledgerPrefix + key)
	if err != nil {
		return err
	}
	return w.Ledger.Load(key, raw)
}

// Book stores a value of the ledger, nil removes it. undo takes the change back in memory.
func (t *Tx) Book(key string, v any, undo func()) {
	if t.booked == nil {
		t.booked = map[string]any{}
	}
	t.booked[ledgerPrefix+key] = v
	t.undo = append(t.undo, undo)
}

func (t *Tx) tellLedger() {
	if t.w.Ledger == nil {
		return
	}
	var ids []string
	for key := range t.touched {
		if id, ok := strings.CutPrefix(key, docPrefix); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		slices.Sort(ids)
		t.w.Ledger.Changed(t, ids)
	}
}

func (t *Tx) ledgerWrites() ([]store.Write, error) {
	var writes []store.Write
	for _, key := range slices.Sorted(maps.Keys(t.booked)) {
		w := store.Write{Key: key}
		if v := t.booked[key]; v != nil {
			data, err := json.Marshal(v)
			if err != nil {
				return nil, fmt.Errorf("encode %s: %w", key, err)
			}
			w.Value = data
		}
		writes = append(writes, w)
	}
	return writes, nil
}
