package chaos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"mngr/e2e/rig"
)

// step is a phase of a command during which a connection to the machine is in use.
type step struct {
	phase  string
	before string // the phase that ends as this one begins; "" for none
	port   string // tcp:22 or tcp:2222
	nth    int    // among the connections of that port, those of the command or, unless it opens one, those open
	opens  bool   // the connection is opened in this phase
}

// moment is when a phase ended.
type moment struct {
	phase string
	at    time.Time
}

// ended is a phase as a pipe shows it, once it has ended.
var ended = regexp.MustCompile(`^([ !]) (.+) \((?:(?:failed|interrupted) after )?[0-9][0-9.hms]*\)$`)

// follow tells of each phase of a command as it ends.
func follow(ctx context.Context, p *rig.Process, each func(phase string)) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	read := 0
	for over := false; ; {
		text := p.Stderr()
		for line := range strings.Lines(text[read:]) {
			if !strings.HasSuffix(line, "\n") {
				break
			}
			read += len(line)
			if m := ended.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
				each(m[2])
			}
		}
		if over {
			return nil
		}
		select {
		case <-p.Done():
			over = true
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// wire is a connection as the local Azure's log has it.
type wire struct {
	port        string
	began, over time.Time // over is zero while it is open
}

// record runs a command to which nothing happens, and returns its steps.
func (l *lane) record(ctx context.Context, args []string) ([]step, error) {
	mark, err := l.azure.Mark()
	if err != nil {
		return nil, err
	}
	p, err := l.who.Start(ctx, args...)
	if err != nil {
		return nil, err
	}
	var all []moment
	err = follow(ctx, p, func(phase string) { all = append(all, moment{phase, time.Now()}) })
	if r := p.Wait(); err == nil && r.Code != 0 {
		err = errors.New(r.String())
	}
	if err != nil {
		return nil, fmt.Errorf("record %v: %w", args, err)
	}
	wires, err := l.wires(mark)
	return stepsOf(all, p.Began(), wires), err
}

// plan says that something is to befall each step of a command.
func (l *lane) plan(command string, steps []step) {
	for _, s := range steps {
		l.table.Calls(command, s.name(), 1)
	}
}

// name is a step as the table shows it.
func (s step) name() string {
	phase := address.ReplaceAllString(s.phase, "the machine")
	return strings.TrimPrefix(s.port, "tcp:") + " " + phase
}

var address = regexp.MustCompile(`127\.[0-9]+\.[0-9]+\.[0-9]+`)

// wires are the connections to machines of the lane's group, in order.
func (l *lane) wires(after rig.Mark) ([]wire, error) {
	log, err := l.azure.Log(after)
	var all []wire
	index := map[string]int{}
	in := "/resourcegroups/" + strings.ToLower(l.group) + "/"
	for _, e := range log {
		switch {
		case !e.Connection() || !strings.Contains(strings.ToLower(e.Resource), in):
		case e.Ended == "":
			index[e.ID] = len(all)
			all = append(all, wire{port: e.Operation, began: e.Time})
		default:
			if i, known := index[e.ID]; known {
				all[i].over = e.Time
			}
		}
	}
	return all, err
}

// late is by how much a phase's end may be seen later than the next phase has begun.
const late = 20 * time.Millisecond

// lingers is for how long the log may show a connection after its last phase has ended.
const lingers = 100 * time.Millisecond

// unused are the beginnings of phases that ask Azure only: connections that are open meanwhile
// are not in use.
var unused = []string{"looking at what exists", "asking Azure", "waiting for Azure", "waiting for the address", "publishing the host keys", "recording it in the tags"}

// stepsOf finds the connection that each phase uses: of those that were open, the youngest.
func stepsOf(all []moment, began time.Time, wires []wire) []step {
	var steps []step
	from, before := began, ""
	for _, m := range all {
		used := -1
		for i, w := range wires {
			if w.began.Before(m.at.Add(-late)) && (w.openAt(from) || !w.began.Before(from.Add(-late))) {
				used = i
			}
		}
		idle := slices.ContainsFunc(unused, func(phase string) bool { return strings.HasPrefix(m.phase, phase) })
		if used >= 0 && !idle {
			s := step{phase: m.phase, before: before, port: wires[used].port, opens: !wires[used].began.Before(from.Add(-late))}
			s.nth = 1
			for _, w := range wires[:used] {
				if w.port == s.port && (s.opens || w.openAt(from)) {
					s.nth++
				}
			}
			steps = append(steps, s)
		}
		from, before = m.at, m.phase
	}
	return steps
}

// openAt tells whether a connection was open when a phase began, and not about to end.
func (w wire) openAt(t time.Time) bool { return w.over.IsZero() || w.over.After(t.Add(lingers)) }
