package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrCut says that a rule has cut a connection.
var ErrCut = errors.New("the connection is cut by a fault")

// ErrClosed says that a connection has ended by itself.
var ErrClosed = errors.New("the connection has ended")

// connection tells whether the rule is about connections to machines.
func (r *Rule) connection() bool { return strings.HasPrefix(strings.ToLower(r.On), TCPPrefix) }

// checkConnection is checkEffect for connections.
func (r *Rule) checkConnection() error {
	r.On = strings.ToLower(r.On)
	port := strings.TrimPrefix(r.On, TCPPrefix)
	if n, err := strconv.ParseUint(port, 10, 16); port != "*" && (err != nil || n == 0) {
		return fmt.Errorf("%q names no port: %s22, or %s* for all", r.On, TCPPrefix, TCPPrefix)
	}
	if r.Match != nil || r.Parts || r.Status != 0 || r.Code != "" || r.Message != "" || r.RetryAfter != 0 || r.Wait != 0 {
		return errors.New("a connection is refused, cut or hung; it has no body and no answer")
	}
	switch {
	case r.After < 0:
		return errors.New("fewer than no bytes cannot pass")
	case r.Effect == RefuseConnection && (r.After > 0 || r.Now):
		return errors.New("a connection is refused before a byte has passed")
	case !slices.Contains([]Kind{RefuseConnection, CutConnection, HangConnection}, r.Effect):
		return fmt.Errorf("a connection cannot meet %q; it is refused, cut or hung", r.Effect)
	}
	return nil
}

// Line is a connection to a machine's public address as rules see it.
type Line struct {
	book *Book
	call Call
	cut  func()

	// The book's lock guards what follows.
	hit     *Hit  // in force; nil for none
	met     *Hit  // the last one, also when its rule is gone
	from    int64 // what had passed when it was hit
	passed  int64 // both ways together
	closed  bool
	changed chan struct{} // closed when hit or closed changes
}

// Connect counts a connection that a machine has taken at a port, and finds the rule that
// hits it. cut is called at most once, when a later rule cuts it while nothing passes.
func (b *Book) Connect(c Call, cut func()) *Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	hit := b.take(c)
	l := &Line{book: b, call: c, cut: cut, hit: hit, met: hit, changed: make(chan struct{})}
	b.lines = append(b.lines, l)
	return l
}

// Hit is what the connection met last; nil for nothing.
func (l *Line) Hit() *Hit {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	return l.met
}

// Passed is how many bytes went through, both ways together.
func (l *Line) Passed() int64 {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	return l.passed
}

// Pass tells how many of the next n bytes may go on now. It waits while none may. With 0
// it tells that the connection is up. Errors: ErrCut, ErrClosed, ctx's.
func (l *Line) Pass(ctx context.Context, n int) (int, error) {
	for {
		n, wait, err := l.look(n)
		if wait == nil {
			return n, err
		}
		if err := wait.until(ctx); err != nil {
			return 0, err
		}
	}
}

// Close ends the connection's part in the book, and wakes who waits in Pass.
func (l *Line) Close() {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	if !l.closed {
		l.closed = true
		l.book.lines = slices.DeleteFunc(l.book.lines, func(other *Line) bool { return other == l })
		l.wake()
	}
}

// pause is a wait until something changes about a line, or a rule's time is over.
type pause struct {
	changed <-chan struct{}
	over    time.Duration // 0: the rule lasts
}

func (p *pause) until(ctx context.Context) error {
	var over <-chan time.Time
	if p.over > 0 {
		timer := time.NewTimer(p.over)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-p.changed:
	case <-over:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// look is one step of Pass; wait is nil when it has an answer.
func (l *Line) look(n int) (int, *pause, error) {
	b := l.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.closed {
		return 0, nil, ErrClosed
	}
	left := time.Duration(0)
	if l.hit != nil && l.hit.Rule.For > 0 && l.hit.Is(HangConnection) {
		if left = l.hit.Rule.Added.Add(seconds(l.hit.Rule.For)).Sub(b.now()); left <= 0 {
			l.hit = nil
		}
	}
	if l.hit != nil {
		room := l.from + l.hit.Rule.After - l.passed
		switch {
		case room > 0:
			n = int(min(int64(n), room))
		case l.hit.Is(HangConnection):
			return 0, &pause{l.changed, left}, nil
		default:
			return 0, nil, ErrCut
		}
	}
	l.passed += int64(n)
	return n, nil, nil
}

// wake tells who waits that something has changed. The book's lock is held.
func (l *Line) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// strike lets a new rule hit connections that are open. The lock is held.
func (b *Book) strike(r *Rule) {
	if !r.Now {
		return
	}
	for _, l := range slices.Clone(b.lines) {
		if !r.Active(b.now()) || l.hit != nil || !r.matches(l.call) || !r.count() {
			continue
		}
		l.hit, l.from = &Hit{Rule: *r, call: l.call, at: b.now()}, l.passed
		l.met = l.hit
		l.wake()
		if r.Effect == CutConnection && r.After == 0 {
			go l.cut() // it closes the line, which takes the lock
		}
	}
}

// release lets connections go on that hang by a rule which is gone. The lock is held.
func (b *Book) release() {
	for _, l := range b.lines {
		if l.hit == nil || slices.ContainsFunc(b.rules, func(r *Rule) bool { return r.ID == l.hit.Rule.ID }) {
			continue
		}
		l.hit = nil
		l.wake()
	}
}
