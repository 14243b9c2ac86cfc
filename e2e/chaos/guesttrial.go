package chaos

import (
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
	refused     blow = "refused"     // the connection, when it is opened
	cut         blow = "cut"         // the connection
	hung        blow = "hung"        // the same, for as long as the command lasts
	silent      blow = "silent"      // every connection of the port, for as long as the command lasts
	killed      blow = "killed"      // the command, by kill -9
	interrupted blow = "interrupted" // the command, by Ctrl-C
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
		l.table.Add(t.command, t.step.name(), found)
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
		if name, _, _ := strings.Cut(t.args[1], "@"); err == nil && t.blow == killed && strings.Contains(second.Stderr, fmt.Sprintf("agent %q exists on host", name)) {
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
	f := rig.Fault{On: t.step.port, Resource: "*/resourceGroups/" + l.group + "/*", Times: 1, Nth: t.step.nth}
	switch t.blow {
	case refused:
		f.Effect = "refuse"
	case cut:
		f.Effect, f.Now = "cut", !t.step.opens
		if t.step.opens {
			f.After = 100 // in the middle of the handshake
		}
	case hung:
		f.Effect, f.Now = "hang", !t.step.opens
	case silent:
		f.Effect, f.Times = "hang", 0
	default:
		return l.signal(ctx, t)
	}
	early := t.step.opens // the connection is opened as soon as its phase begins
	id := ""
	var err error
	if early {
		if id, err = l.azure.AddFault(ctx, f); err != nil {
			return rig.Result{}, err
		}
	}
	p, err := l.who.Start(ctx, t.args...)
	if err == nil && !early {
		if err = l.reach(ctx, p, t.step); err == nil {
			id, err = l.azure.AddFault(ctx, f)
		}
	}
	if p == nil {
		return rig.Result{}, err
	}
	r := p.Wait()
	if id != "" {
		hits, asked := l.azure.Hits(ctx, id)
		if err = errors.Join(err, asked, l.azure.RemoveFault(ctx, id)); err == nil && hits == 0 {
			err = errNotHit
		}
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, r)
	}
	return r, err
}

// signal ends the command from outside when it has reached its step.
func (l *lane) signal(ctx context.Context, t trial) (rig.Result, error) {
	p, err := l.who.Start(ctx, t.args...)
	if err != nil {
		return rig.Result{}, err
	}
	sig := syscall.SIGKILL
	if t.blow == interrupted {
		sig = syscall.SIGINT
	}
	err = l.reach(ctx, p, t.step)
	if err == nil {
		err = p.Signal(sig)
	}
	r := p.Wait()
	if err == nil && r.Code == 0 {
		err = errNotHit
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, r)
	}
	return r, err
}

// reach returns when a command has begun a step.
func (l *lane) reach(ctx context.Context, p *rig.Process, s step) error {
	if s.before == "" {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reached := errors.New("it is there")
	err := follow(ctx, p, func(phase string) {
		if strings.HasPrefix(phase, s.before) {
			cancel(reached)
		}
	})
	switch {
	case errors.Is(context.Cause(ctx), reached):
		return nil
	case err == nil:
		return fmt.Errorf("%w: it ended before %q", errNotHit, s.phase)
	}
	return err
}

var (
	failedPhase = regexp.MustCompile(`(?m)^! .+ \(failed after`)
	errorLine   = regexp.MustCompile(`(?m)^Error: .+$`)
	hintLine    = regexp.MustCompile(`(?m)^hint: .*\bmngr [a-z].*$`)
)

// judge looks at how a command ended that was struck: well, or with the phase in which it
// was, one line of cause and one command that helps.
func (l *lane) judge(t trial, r rig.Result) []Finding {
	if found := wordsOf(r); t.blow != killed && len(found) > 0 {
		return found
	}
	if r.Code == 0 || t.blow == killed {
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
