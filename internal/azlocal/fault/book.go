package fault

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Book holds the rules of one local Azure. A nil Book has none.
type Book struct {
	now   func() time.Time
	mu    sync.Mutex
	rules []*Rule
	ends  map[string]chan struct{} // of each rule, by id: closed when it is removed
	next  int
	path  string  // "" keeps nothing
	lines []*Line // connections that are open, oldest first
}

// NewBook returns a book without rules.
func NewBook(now func() time.Time) *Book { return &Book{now: now, ends: map[string]chan struct{}{}} }

// Add checks a rule and begins to apply it. It returns the rule as it is kept, with its id.
func (b *Book) Add(r Rule) (Rule, error) {
	if err := r.Check(); err != nil {
		return r, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	r.ID, r.Added, r.Seen, r.Hits = fmt.Sprintf("f%d", b.next), b.now().UTC(), 0, 0
	b.rules = append(b.rules, &r)
	b.ends[r.ID] = make(chan struct{})
	b.strike(&r)
	return r, b.save()
}

// List returns the rules in the order in which they were added.
func (b *Book) List() []Rule {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Rule, len(b.rules))
	for i, r := range b.rules {
		out[i] = *r
		out[i].Match = maps.Clone(r.Match)
	}
	return out
}

// Remove ends a rule; known is false when no rule has the id.
func (b *Book) Remove(id string) (known bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.rules)
	b.rules = slices.DeleteFunc(b.rules, func(r *Rule) bool { return r.ID == id })
	b.end(id)
	b.release()
	return len(b.rules) < before, b.save()
}

// Clear ends all rules and returns how many there were.
func (b *Book) Clear() (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.rules)
	for _, r := range b.rules {
		b.end(r.ID)
	}
	b.rules = nil
	b.release()
	return n, b.save()
}

// end lets go what a rule holds. The lock is held.
func (b *Book) end(id string) {
	if over, ok := b.ends[id]; ok {
		close(over)
		delete(b.ends, id)
	}
}

// Take finds the first rule that hits a call, and counts. Rules that wait for their nth
// call count it and let the next rule have it. Without a hit the result is nil.
func (b *Book) Take(c Call) *Hit {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.take(c)
}

// take is Take with the lock held.
func (b *Book) take(c Call) *Hit {
	now, counted := b.now(), false
	defer func() {
		if counted {
			_ = b.save() // the counts of what went wrong are worth no refusal of a call
		}
	}()
	for _, r := range b.rules {
		if !r.Active(now) || !r.matches(c) {
			continue
		}
		counted = true
		if r.count() {
			return &Hit{Rule: *r, call: c, at: now, removed: b.ends[r.ID]}
		}
	}
	return nil
}

// count notes a call that matches, and tells whether it is hit.
func (r *Rule) count() bool {
	r.Seen++
	if r.Seen < r.Nth || !r.draws() {
		return false
	}
	r.Hits++
	return true
}
