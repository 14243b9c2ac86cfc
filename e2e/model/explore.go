package model

import (
	"fmt"
	"slices"
	"strings"
)

// Run is a command with what may befall it.
type Run struct {
	Command
	Shaky  bool // it may end between two writes: killed, or refused by a fault
	Undoes bool // it was interrupted
	Fails  bool // an operation at Azure that it begins may fail
}

// End is one way in which commands at once may have gone: the world afterwards and how
// each ended.
type End struct {
	World    World
	Outcomes []Outcome
}

// Explore returns all ways in which commands may go that are started at the same moment.
func Explore(w World, runs []Run) []End {
	x := explorer{runs: runs, seen: map[string]bool{}}
	x.visit(w, make([]thread, len(runs)))
	return x.ends
}

// thread is how far a command is. Its values tell all that it remembers of its look.
type thread struct {
	at     int // 0: it has not looked yet
	serial int // the host that it found
	tagged bool
	rest   []int   // serials of more hosts
	old    string  // name of the host, or before the change
	ended  Outcome // "" while it goes on
}

type explorer struct {
	runs []Run
	seen map[string]bool
	ends []End
}

func (x *explorer) visit(w World, threads []thread) {
	key := w.key() + fmt.Sprint(threads)
	if x.seen[key] {
		return
	}
	x.seen[key] = true
	over := true
	for n, t := range threads {
		if t.ended != "" {
			continue
		}
		over = false
		for _, b := range x.step(w, n, t) {
			next := slices.Clone(threads)
			next[n] = b.thread
			x.visit(b.world, next)
		}
	}
	if over {
		end := End{World: w}
		for _, t := range threads {
			end.Outcomes = append(end.Outcomes, t.ended)
		}
		x.ends = append(x.ends, end)
	}
}

type branch struct {
	world  World
	thread thread
}

// step returns what one command may do next.
func (x *explorer) step(w World, n int, t thread) []branch {
	run := x.runs[n]
	var out []branch
	next := w.Clone()
	t2 := t
	t2.rest = slices.Clone(t.rest)
	p := &program{w: &next, t: &t2, c: run.Command, alone: len(x.runs) == 1 && !run.Shaky}
	p.step()
	out = append(out, branch{next, t2})
	if t2.ended == OK && (run.Shaky || len(x.runs) > 1) { // done, and then nobody could tell
		done := t2
		done.ended = Early
		out = append(out, branch{next.Clone(), done})
	}
	out = append(out, p.also...)
	if run.Fails {
		out = append(out, failing(w, run, t)...)
	}
	// An interrupted create takes its machine back before it ends.
	undoes := run.Undoes && run.Verb == Create && (t.at == atGrant || t.at == atName)
	if run.Shaky || len(x.runs) > 1 && !undoes {
		cut := t
		cut.ended = Early
		out = append(out, branch{w.Clone(), cut})
	}
	if undoes {
		undone := w.Clone()
		undone.remove(t.serial)
		cut := t
		cut.ended = Early
		out = append(out, branch{undone, cut})
	}
	return out
}

// failing is a write whose operation Azure accepts and does not carry out.
func failing(w World, run Run, t thread) []branch {
	next := w.Clone()
	p := &program{w: &next, t: &t, c: run.Command}
	switch {
	case run.Verb == Create && t.at == atPut:
		p.step()
		if h := next.serial(t.serial); h != nil {
			h.Power = NeverRan
		}
		return []branch{{next, t}}
	case run.Verb == Stop && t.at == atPower, run.Verb == Start && t.at == atPower:
		// With --no-wait nobody hears of it.
		t.ended = OK
		if run.Verb == Stop {
			t.ended = Early
		}
		return []branch{{next, t}}
	}
	return nil
}

// Matching keeps the ends that fit the exit codes; -1, a kill, fits all.
func Matching(ends []End, codes []int) []World {
	var out []World
	seen := map[string]bool{}
	for _, e := range ends {
		fits := true
		for n, o := range e.Outcomes {
			fits = fits && (codes[n] == killed || o.fits(codes[n]))
		}
		if key := e.World.key(); fits && !seen[key] {
			seen[key] = true
			out = append(out, e.World)
		}
	}
	return out
}

// killed is the exit code of a command that a signal ended.
const killed = -1

// Outcomes describes the ways in which commands may end.
func Outcomes(ends []End) string {
	var all []string
	for _, e := range ends {
		text := fmt.Sprint(e.Outcomes)
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, " or ")
}
