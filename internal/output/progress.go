package output

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"mngr/internal/plain"
)

// How often a wait shows that it is alive.
const (
	liveTick  = 100 * time.Millisecond // on a terminal
	plainTick = 30 * time.Second       // in a pipe
)

// Progress shows the phases of a long operation with their times: a live line on a
// terminal, one plain line for each finished phase elsewhere, and a line every 30 s that
// the wait goes on. As JSONL it writes {"event":"phase","phase":…,"elapsed_seconds":…}
// for each finished phase. Quiet, it shows nothing.
type Progress struct {
	p     *Printer
	wake  chan struct{}
	quit  chan struct{}
	ended chan struct{}
	once  sync.Once

	mu      sync.Mutex
	current phase
	unshown []phase // that have ended
}

type phase struct {
	name    string
	detail  string // how far it is; shown while it lasts
	began   time.Time
	elapsed time.Duration
	end     outcome
}

// outcome is how a phase has ended; it is shown where it is not done.
type outcome string

const (
	done        outcome = ""
	failed      outcome = "failed"
	interrupted outcome = "interrupted"
)

// Progress starts a display. The caller ends it with Done or Fail.
func (p *Printer) Progress() *Progress {
	g := p.start()
	p.waits.replace(g)
	g.poke()
	return g
}

func (p *Printer) start() *Progress {
	g := &Progress{p: p, wake: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{})}
	go g.run()
	return g
}

// Phase ends the phase under way and begins another. It satisfies agent.Progress and
// never waits for a stream.
func (g *Progress) Phase(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if name == g.current.name {
		return
	}
	g.finish(done)
	g.current = phase{name: name, began: time.Now()}
	g.poke()
}

// Detail says how far the phase under way is; it is not kept once the phase has ended.
func (g *Progress) Detail(text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current.name != "" {
		g.current.detail = ": " + text
	}
}

// Undo marks the phase under way as the one that failed and begins to undo.
func (g *Progress) Undo(name string) { g.next(failed, name) }

// Interrupted marks the phase under way as the one that its user interrupted, and begins
// what follows from that; "" for nothing.
func (g *Progress) Interrupted(name string) { g.next(interrupted, name) }

func (g *Progress) next(end outcome, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.finish(end)
	g.current = phase{name: name, began: time.Now()}
	g.poke()
}

// Done ends the last phase and returns when everything has been shown. Only the first
// call of Done or Fail counts.
func (g *Progress) Done() { g.over(done) }

// Fail is Done for an operation whose last phase has failed.
func (g *Progress) Fail() { g.over(failed) }

func (g *Progress) over(end outcome) {
	g.once.Do(func() {
		g.mu.Lock()
		g.finish(end)
		g.mu.Unlock()
		g.p.waits.left(g)
		close(g.quit)
	})
	<-g.ended
}

// finish moves the phase under way to the finished ones. g.mu is held.
func (g *Progress) finish(end outcome) {
	if g.current.name == "" {
		return
	}
	g.current.elapsed = time.Since(g.current.began)
	g.current.end = end
	g.unshown = append(g.unshown, g.current)
	g.current = phase{}
}

func (g *Progress) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// run is the only goroutine that writes.
func (g *Progress) run() {
	defer close(g.ended)
	tick := plainTick
	if g.p.Live {
		tick = liveTick
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-g.wake:
			g.paint(poked)
			ticker.Reset(tick)
		case <-ticker.C:
			g.paint(ticked)
		case <-g.quit:
			g.paint(quitting)
			return
		}
	}
}

// occasion is why something is painted.
type occasion int

const (
	poked occasion = iota
	ticked
	quitting
)

// paint shows what has finished since the last time, and the phase under way, else a wait
// that nobody asked for.
func (g *Progress) paint(why occasion) {
	g.mu.Lock()
	ended, current := g.unshown, g.current
	g.unshown = nil
	g.mu.Unlock()
	if g.p.Quiet {
		return
	}
	for _, ph := range ended {
		g.finished(ph)
	}
	untold := false
	if current.name == "" && why != quitting {
		current, untold = g.p.waits.latest()
	}
	switch {
	case g.p.Live && current.name == "":
		g.p.screen.show("")
	case g.p.Live:
		g.p.screen.show(g.liveLine(current))
	case (why == ticked || untold) && current.name != "":
		g.p.screen.line(fmt.Sprintf("  … %s (%s so far)", plain.Escape(current.name+current.detail), seconds(time.Since(current.began))))
	}
}

func (g *Progress) finished(ph phase) {
	if g.p.Format == JSONL {
		// A reader that has gone away shows itself with the result.
		_ = g.p.object("phase", struct {
			Phase   string  `json:"phase"`
			Elapsed float64 `json:"elapsed_seconds"`
			Failed  bool    `json:"failed,omitempty"`
			Cut     bool    `json:"interrupted,omitempty"`
		}{ph.name, float64(ph.elapsed.Milliseconds()) / 1000, ph.end != done, ph.end == interrupted})
	}
	if g.p.Live {
		g.p.screen.show("")
	}
	text := fmt.Sprintf("  %s (%s)", plain.Escape(ph.name), seconds(ph.elapsed))
	if ph.end != done {
		text = fmt.Sprintf("! %s (%s after %s)", plain.Escape(ph.name), ph.end, seconds(ph.elapsed))
	}
	if g.p.Format != JSONL || g.p.Live {
		g.p.screen.line(text)
	}
}

// liveLine fits the phase and its time into one row of the terminal: a longer line would
// wrap, and only its last row could be erased.
func (g *Progress) liveLine(ph phase) string {
	elapsed := time.Since(ph.began)
	spinner := string(`|/-\`[int(elapsed/liveTick)%4])
	clock := " (" + seconds(elapsed.Truncate(time.Second)) + ")"
	room := g.p.Width() - len(spinner) - 2 - len(clock)
	return spinner + " " + Truncate(plain.Escape(ph.name+ph.detail), room) + clock
}

// seconds writes a duration as a person reads it: 0.4s, 12.3s, 2m05s.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + "s"
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}
