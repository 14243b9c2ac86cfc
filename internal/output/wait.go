package output

import (
	"slices"
	"sync"
	"time"
)

// waits are those that nobody asked for and that last. The display of a command's phases
// shows them where it has no phase under way; without one they have a display of their own.
type waits struct {
	mu      sync.Mutex
	all     []*wait // in the order of their beginning
	display *Progress
	own     bool // the display was begun for a wait
}

type wait struct {
	phase
	told bool // a line in a pipe has named it
}

// Wait shows a wait until over is called: on a terminal as a live line, elsewhere as a line
// at once and every 30 s. Quiet, it shows nothing. It satisfies agent.Patience.
func (p *Printer) Wait(name string, since time.Time) (over func()) {
	w := &wait{phase: phase{name: name, began: since}}
	p.waits.mu.Lock()
	p.waits.all = append(p.waits.all, w)
	slices.SortStableFunc(p.waits.all, func(a, b *wait) int { return a.began.Compare(b.began) })
	if p.waits.display == nil {
		p.waits.display, p.waits.own = p.start(), true
	}
	p.waits.display.poke()
	p.waits.mu.Unlock()
	return func() { p.waits.over(w) }
}

func (s *waits) over(w *wait) {
	s.mu.Lock()
	s.all = slices.DeleteFunc(s.all, func(other *wait) bool { return other == w })
	shown, last := s.display, s.own && len(s.all) == 0
	if last {
		s.display, s.own = nil, false
	}
	s.mu.Unlock()
	switch {
	case last:
		shown.Done()
	case shown != nil:
		shown.poke()
	}
}

// replace makes g the display; one that was begun for a wait ends.
func (s *waits) replace(g *Progress) {
	s.mu.Lock()
	before, own := s.display, s.own
	s.display, s.own = g, false
	s.mu.Unlock()
	if own {
		before.Done()
	}
}

// left says that g shows nothing any more.
func (s *waits) left(g *Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.display == g {
		s.display, s.own = nil, false
	}
}

// latest is the wait that began last, and whether no line has named it yet.
func (s *waits) latest() (w phase, untold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return phase{}, false
	}
	last := s.all[len(s.all)-1]
	untold, last.told = !last.told, true
	return last.phase, untold
}
