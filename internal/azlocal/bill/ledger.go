// Package bill keeps the books of a local Azure: what each resource would have cost on the
// real one, from every change of its state, also after the resource is gone.
//
// Only internal/azlocal imports it.
package bill

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
)

// Ledger is a fabric.Ledger. It is used under the world's lock only.
type Ledger struct {
	now      func() time.Time
	accounts map[string]*Account // by the key of the resource
	gone     int                 // accounts of resources that are deleted
}

// NewLedger returns empty books.
func NewLedger(now func() time.Time) *Ledger {
	return &Ledger{now: now, accounts: map[string]*Account{}}
}

// Load takes an account from the store.
func (l *Ledger) Load(key string, raw json.RawMessage) error {
	a := &Account{}
	if err := json.Unmarshal(raw, a); err != nil {
		return fmt.Errorf("read the account of %s: %w", key, err)
	}
	l.put(key, a)
	return nil
}

// Changed books what a transaction changes.
func (l *Ledger) Changed(t *fabric.Tx, ids []string) {
	at := l.now().UTC()
	for _, id := range ids {
		if billable(id) {
			l.book(t, id, at)
		}
	}
}

// Reconcile books everything that is there, and ends what is not: the state may be older
// than these books.
func (l *Ledger) Reconcile(t *fabric.Tx) {
	ids := map[string]bool{}
	for _, kind := range compute.BilledTypes() {
		for _, d := range t.List(kind, "") {
			ids[arm.Key(d.ID)] = true
		}
	}
	for key, a := range l.accounts {
		if a.Open {
			ids[key] = true
		}
	}
	l.Changed(t, slices.Sorted(maps.Keys(ids)))
}

func billable(id string) bool {
	kind := arm.ParseID(id).Type()
	return slices.ContainsFunc(compute.BilledTypes(), func(one string) bool { return strings.EqualFold(one, kind) })
}

func (l *Ledger) book(t *fabric.Tx, id string, at time.Time) {
	var (
		c    compute.Charge
		open bool
	)
	d := t.Peek(id)
	if d != nil {
		c, open = compute.ChargeFor(d)
	}
	key := arm.Key(id)
	old := l.accounts[key]
	if old == nil {
		if !open {
			return
		}
		old = &Account{Charge: c}
	}
	if old.same(c, open) && old.Gone == (d == nil) {
		return
	}
	next := old.turn(c, open, at)
	next.Gone = d == nil
	l.keep(t, key, next)
	l.fold(t)
}

// keep replaces an account in memory and in the store; nil removes it.
func (l *Ledger) keep(t *fabric.Tx, key string, a *Account) {
	before := l.accounts[key]
	l.put(key, a)
	var stored any
	if a != nil {
		stored = a
	}
	t.Book(key, stored, func() { l.put(key, before) })
}

func (l *Ledger) put(key string, a *Account) {
	if old := l.accounts[key]; old != nil && old.Gone {
		l.gone--
	}
	delete(l.accounts, key)
	if a != nil {
		l.accounts[key] = a
		if a.Gone {
			l.gone++
		}
	}
}

// Of accounts of deleted resources, at most maxGone are kept apart; then the oldest of
// them are put together, so that months of tests do not fill memory.
const (
	maxGone    = 2000
	foldAtOnce = 200
)

func (l *Ledger) fold(t *fabric.Tx) {
	if l.gone <= maxGone {
		return
	}
	var keys []string
	for key, a := range l.accounts {
		if a.Gone {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(x, y string) int { return l.accounts[x].Since.Compare(l.accounts[y].Since) })
	for _, key := range keys[:min(len(keys), foldAtOnce)] {
		a := l.accounts[key]
		together := "earlier/" + a.Meter
		sum := Span{}
		if old := l.accounts[together]; old != nil && len(old.Past) > 0 {
			sum = old.Past[0]
		}
		for _, s := range a.Past {
			sum = sum.and(s)
		}
		l.keep(t, together, &Account{Charge: compute.Charge{Meter: a.Meter, Item: "resources deleted earlier"}, Since: a.Since, Past: []Span{sum}})
		l.keep(t, key, nil)
	}
}
