package chaos

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"mngr/e2e/rig"
)

// moment is when a phase ended.
type moment struct {
	phase string
	at    time.Time
}

// ended is a phase as a pipe shows it, once it has ended.
var ended = regexp.MustCompile(`^([ !]) (.+) \((?:(?:failed|interrupted) after )?[0-9][0-9.hms]*\)$`)

// account are the phases of a command that runs, as they end.
type account struct {
	p    *rig.Process
	over chan struct{} // closed when the command has ended, and all is read

	mu  sync.Mutex
	all []moment
}

func follow(p *rig.Process) *account {
	a := &account{p: p, over: make(chan struct{})}
	go a.read()
	return a
}

func (a *account) read() {
	defer close(a.over)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	read := 0
	for over := false; ; {
		text := a.p.Stderr()
		for line := range strings.Lines(text[read:]) {
			if !strings.HasSuffix(line, "\n") {
				break
			}
			read += len(line)
			if m := ended.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
				a.mu.Lock()
				a.all = append(a.all, moment{plainly(m[2]), time.Now()})
				a.mu.Unlock()
			}
		}
		if over {
			return
		}
		select {
		case <-a.p.Done():
			over = true
		case <-tick.C:
		}
	}
}

func (a *account) moments() []moment {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.all)
}

// whole is all of it, once the command has ended.
func (a *account) whole() []moment {
	<-a.over
	return a.moments()
}

// reach returns when a command has begun a step.
func (a *account) reach(ctx context.Context, s step) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for over := false; s.before != ""; {
		if indexOf(a.moments(), s.before) >= 0 {
			return nil
		}
		if over {
			return fmt.Errorf("%w: it ended before %q", errNotHit, s.phase)
		}
		select {
		case <-a.over:
			over = true
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func indexOf(all []moment, phase string) int {
	return slices.IndexFunc(all, func(m moment) bool { return m.phase == phase })
}
