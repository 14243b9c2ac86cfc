package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"time"

	"mngr/e2e/rig"
)

// blow is what happens to a connection, or to the command.
type blow string

// The blows.
const (
	refused     blow = "refused"      // the connection, when it is opened
	cut         blow = "cut"          // the connection
	hung        blow = "hung"         // the same, for as long as the command lasts
	silent      blow = "silent"       // every connection of the port, for as long as the command lasts
	killed      blow = "killed"       // the command, by kill -9; in a write to Azure before that is done
	killedAfter blow = "killed after" // the same after the write is done, and before its answer
	interrupted blow = "interrupted"  // the command, by Ctrl-C
)

// trial is one blow at one step of one command.
type trial struct {
	command string
	args    []string
	given   func(context.Context) error // brings the host where the command begins
	step    step
	blow    blow
	files   []string // agents that have a file
}

func (t trial) String() string { return fmt.Sprintf("%s/%s/%s", t.command, t.step.name(), t.blow) }

// count notes what a trial has done.
func (l *lane) count(t trial, found []Finding) {
	l.table.Add(t.command, t.step.name(), found)
	l.ledger.strike(t)
}

// missed is how often a blow may come too late: a phase may last for a millisecond.
const missed = 3

// try makes a trial, and counts it.
func (l *lane) try(ctx context.Context, t trial) error {
	for n := 1; ; n++ {
		began := time.Now()
		found, err := l.attempt(ctx, t)
		if errors.Is(err, errNotHit) && n < missed {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		l.count(t, found)
		l.say("%-60s %5.1fs", t, time.Since(began).Seconds())
		if len(found) > 0 {
			return fmt.Errorf("%s: %s", t, tell(found))
		}
		return nil
	}
}

func (l *lane) attempt(ctx context.Context, t trial) ([]Finding, error) {
	if t.given != nil {
		if err := t.given(ctx); err != nil {
			return nil, fmt.Errorf("set the scene: %w", err)
		}
	}
	r, err := l.suffer(ctx, t)
	if err != nil {
		return nil, err
	}
	found := l.judge(t, r)
	_, more, err := l.compare(ctx)
	found = append(found, more...)
	if err != nil || len(found) > 0 {
		return found, err
	}
	if r.Code != 0 {
		second, err := l.who.Run(ctx, t.args...)
		if name, _, _ := strings.Cut(t.args[1], "@"); err == nil && t.blow.signal() == syscall.SIGKILL && strings.Contains(second.Stderr, fmt.Sprintf("agent %q exists on host", name)) {
			second, err = l.who.Run(ctx, "start", name) // it had been made before the blow fell
		}
		if err != nil {
			return nil, err
		}
		if second.Code != 0 {
			return []Finding{{Else, fmt.Sprintf("%s\nrepeated, it fails\n%s", r, second)}}, nil
		}
	}
	_, found, err = l.compare(ctx)
	for _, name := range t.files {
		if err == nil && len(found) == 0 {
			found, err = l.keeps(ctx, name)
		}
	}
	return found, err
}

// suffer runs the command and strikes it at its step.
func (l *lane) suffer(ctx context.Context, t trial) (rig.Result, error) {
	id, err := "", error(nil)
	early := t.step.opens || t.step.call != "" // before the phase nothing is there for the fault to meet
	if early && t.fault() != nil {
		id, err = l.azure.AddFault(ctx, l.aim(t))
	}
	if err != nil {
		return rig.Result{}, err
	}
	mark, err := l.azure.Mark()
	if err != nil {
		return rig.Result{}, err
	}
	p, err := l.who.Start(ctx, t.args...)
	if err != nil {
		return rig.Result{}, err
	}
	trail := follow(p)
	if !early || t.fault() == nil {
		if err = trail.reach(ctx, t.step); err == nil && t.fault() != nil {
			id, err = l.azure.AddFault(ctx, l.aim(t))
		}
	}
	at := time.Time{}
	if err == nil {
		at, err = l.fall(ctx, t, p, id)
	}
	r := p.Wait()
	if id != "" {
		if t.step.call != "" && err == nil {
			err = awaitEnd(ctx, l.azure, id, mark)
		}
		err = errors.Join(err, l.azure.RemoveFault(ctx, id))
	}
	switch signalled := t.blow.signal() != 0; {
	case err == nil && !t.step.fell(at, trail.whole()), err == nil && signalled && r.Code == 0:
		err = errNotHit
	case errors.Is(err, errNotHit) && r.Code != 0 && !signalled:
		err = errors.New("it failed, and nothing had befallen it")
	case err == nil && t.blow.signal() == syscall.SIGKILL && r.Code != -1:
		err = errors.New("it failed by itself")
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, r)
	}
	return r, err
}

// signal is what a blow sends to the command; 0 for none.
func (b blow) signal() syscall.Signal {
	switch b {
	case killed, killedAfter:
		return syscall.SIGKILL
	case interrupted:
		return syscall.SIGINT
	}
	return 0
}

// fault is what befalls a connection, or a write to Azure, in a trial; nil for nothing.
func (t trial) fault() *rig.Fault {
	switch t.blow {
	case refused:
		return &rig.Fault{Effect: "refuse", Times: 1}
	case cut:
		f := &rig.Fault{Effect: "cut", Times: 1, Now: !t.step.opens}
		if t.step.opens {
			f.After = 100 // in the middle of the handshake
		}
		return f
	case hung:
		return &rig.Fault{Effect: "hang", Times: 1, Now: !t.step.opens}
	case silent:
		return &rig.Fault{Effect: "hang"}
	case killed:
		if t.step.call != "" {
			return &rig.Fault{Effect: "hold-before", Times: 1}
		}
	case killedAfter:
		return &rig.Fault{Effect: "hold-after", Times: 1}
	}
	return nil
}

// aim is a trial's fault, for this lane's machine only.
func (l *lane) aim(t trial) rig.Fault {
	f := *t.fault()
	f.On, f.Resource, f.Nth = t.step.port, "*/resourceGroups/"+l.group+"/*", t.step.nth
	if t.step.call != "" {
		f.On = t.step.call
	}
	return f
}

// fall waits until a blow has fallen, and returns when that was. A signal it sends itself.
func (l *lane) fall(ctx context.Context, t trial, p *rig.Process, id string) (time.Time, error) {
	if id != "" {
		wait := l.azure.AwaitHit
		if f := t.fault(); f.Now { // it meets what is open, or it is too late
			wait = func(ctx context.Context, id string, _ *rig.Process) (bool, error) {
				hits, err := l.azure.Hits(ctx, id)
				return hits > 0, err
			}
		}
		if hit, err := wait(ctx, id, p); err != nil || !hit {
			return time.Time{}, cmp.Or(err, errNotHit)
		}
	}
	at := time.Now()
	if sig := t.blow.signal(); sig != 0 {
		return at, p.Signal(sig)
	}
	return at, nil
}

var (
	failedPhase = regexp.MustCompile(`(?m)^! .+ \(failed after`)
	errorLine   = regexp.MustCompile(`(?m)^Error: .+$`)
	hintLine    = regexp.MustCompile(`(?m)^hint: .*\bmngr [a-z].*$`)
)

// judge looks at how a command ended that was struck: well, or with the phase in which it
// was, one line of cause and one command that helps.
func (l *lane) judge(t trial, r rig.Result) []Finding {
	if found := wordsOf(r); t.blow.signal() != syscall.SIGKILL && len(found) > 0 {
		return found
	}
	if r.Code == 0 || t.blow.signal() == syscall.SIGKILL {
		return nil
	}
	if t.blow == interrupted && r.Code == 130 { // who interrupts knows what to do
		return nil
	}
	var lacks []string
	for what, pattern := range map[string]*regexp.Regexp{"phase": failedPhase, "cause": errorLine, "command": hintLine} {
		if n := len(pattern.FindAllString(r.Stderr, -1)); n != 1 && !(what == "phase" && n > 0) {
			lacks = append(lacks, fmt.Sprintf("%d lines with a %s", n, what))
		}
	}
	if len(lacks) > 0 {
		return []Finding{{Rude, strings.Join(lacks, ", ") + "\n" + r.String()}}
	}
	return nil
}
