package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// job is what one lane does, from nothing to nothing.
type job struct {
	name string
	do   func(context.Context, *lane) error
}

// guestJobs are all of them. They go on side by side; the first to be named take longest.
func guestJobs() []job {
	return []job{
		{"silence", silence},
		{"creates", creates},
		{"lives", lives},
		{"undos", undos},
	}
}

// creates strikes every step of a create, the pull of its image and a push among them.
func creates(ctx context.Context, l *lane) error {
	if err := l.settle(ctx, true); err != nil {
		return err
	}
	first := l.steps["create"]
	if err := l.blank(ctx); err != nil {
		return err
	}
	// On a machine that has the image the steps are others than at first.
	if err := l.record(ctx, "create again", create("a")); err != nil {
		return err
	}
	if err := l.keep(ctx, "a"); err != nil {
		return err
	}
	var all []trial
	for _, s := range l.steps["create again"] {
		for _, b := range blows(s, killed) {
			all = append(all, trial{command: "create again", args: create("a"), given: l.blank, step: s, blow: b})
		}
	}
	// Those of the first that take long: each has one connection, and one blow.
	for i, phase := range []string{"pulling", "checking the tools", "installing"} {
		if n := slices.IndexFunc(first, func(s step) bool { return strings.HasPrefix(s.phase, phase) }); n >= 0 {
			b := []blow{cut, killed, hung}[i]
			all = append(all, trial{command: "create", args: create("a"), given: l.bare, step: first[n], blow: b})
		} else {
			return fmt.Errorf("create has no step %q: %v", phase, first)
		}
	}
	return l.tryAll(ctx, all)
}

// bare is blank without the images, so that they are pulled again.
func (l *lane) bare(ctx context.Context) error {
	if err := l.blank(ctx); err != nil {
		return err
	}
	return l.outer(ctx, "docker image rm -f $(docker image ls -q)")
}

// lives strikes every step of a second agent's create, of stop and of start on one host.
func lives(ctx context.Context, l *lane) error {
	if err := l.settle(ctx, false); err != nil {
		return err
	}
	second := slices.Replace(create("b"), 1, 2, "b@a")
	alone := func(ctx context.Context) error {
		if err := l.running(ctx); err != nil {
			return err
		}
		return l.who.Must(ctx, nil, "destroy", "--force", "b")
	}
	if err := l.record(ctx, "create on a host", second); err != nil {
		return err
	}
	if err := alone(ctx); err != nil {
		return err
	}
	if err := l.record(ctx, "stop", []string{"stop", "a"}); err != nil {
		return err
	}
	if err := l.record(ctx, "start", []string{"start", "a"}); err != nil {
		return err
	}
	var all []trial
	for _, s := range l.steps["create on a host"] {
		for _, b := range blows(s, killed) {
			all = append(all, trial{command: "create on a host", args: second, given: alone, step: s, blow: b, files: []string{"a"}})
		}
	}
	all = append(all, turns(l)...)
	return l.tryAll(ctx, all)
}

// turns are the trials of stop and start, in turn: what the one leaves is where the other
// begins.
func turns(l *lane) []trial {
	var down, up []trial
	for _, s := range l.steps["stop"] {
		for _, b := range blows(s, killed) {
			down = append(down, trial{command: "stop", args: []string{"stop", "a"}, given: l.running, step: s, blow: b})
		}
	}
	for _, s := range l.steps["start"] {
		for _, b := range blows(s, killed, interrupted) {
			up = append(up, trial{command: "start", args: []string{"start", "a"}, given: l.stopped, step: s, blow: b, files: []string{"a"}})
		}
	}
	var all []trial
	for i := range max(len(down), len(up)) {
		if i < len(down) {
			all = append(all, down[i])
		}
		if i < len(up) {
			all = append(all, up[i])
		}
	}
	return all
}

// blows are those that a step can meet, and some at the command itself.
func blows(s step, also ...blow) []blow {
	all := []blow{cut, hung}
	if s.opens {
		all = append(all, refused)
	}
	return append(all, also...)
}

// undos strikes creates that remove what they have made.
func undos(ctx context.Context, l *lane) error {
	l.who.Limit = bootLimit
	for _, c := range []struct {
		phase string
		blow  blow
	}{{"handing the host over", cut}, {"waiting for cloud-init", interrupted}, {"handing the host over", killed}} {
		if err := l.undone(ctx, c.phase, c.blow); err != nil {
			return err
		}
	}
	return nil
}

// undone strikes one create and wants nothing to be left of it, where it was killed after
// a destroy.
func (l *lane) undone(ctx context.Context, phase string, b blow) error {
	before := map[string]string{"waiting for cloud-init": "handing the host over", "handing the host over": "sending mngrd"}[phase]
	t := trial{command: "create", args: create("u"), step: step{phase: phase, before: before, port: "tcp:22", nth: 1}, blow: b}
	r, err := l.suffer(ctx, t)
	if err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	found := l.judge(t, r)
	if r.Code == 0 {
		found = append(found, Finding{Else, "it went on\n" + r.String()})
	}
	if b == interrupted && r.Code != 130 {
		found = append(found, Finding{Else, "it was interrupted, and says otherwise\n" + r.String()})
	}
	all, more, err := l.compare(ctx)
	found = append(found, more...)
	if b != killed && len(all.Hosts) > 0 {
		found = append(found, Finding{Leak, "it is not undone\n" + r.String()})
	}
	if err == nil {
		more, err = l.end(ctx)
		found = append(found, more...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	l.table.Add(t.command, t.step.name(), found)
	if len(found) > 0 {
		return fmt.Errorf("%s: %s", t, tell(found))
	}
	return nil
}

// silence lets whole deadlines pass: of a new machine's SSH, eight minutes, of the
// container's, two, and of a container that should be up, 45 seconds.
func silence(ctx context.Context, l *lane) error {
	l.who.Limit = bootLimit
	t := trial{command: "create", args: create("u"), step: step{phase: "waiting for SSH", port: "tcp:22", nth: 1, opens: true}, blow: silent}
	if err := l.past(ctx, t, "SSH of the virtual machine", 8); err != nil {
		return err
	}
	if more, err := l.end(ctx); err != nil || len(more) > 0 {
		return fmt.Errorf("%s: %w\n%s", t, errors.Join(err, errors.New("it is not undone")), tell(more))
	}
	return nil
}

// past wants a command to fail once its deadline of some minutes is over, with words.
func (l *lane) past(ctx context.Context, t trial, waited string, minutes float64) error {
	r, err := l.suffer(ctx, t)
	if err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	found := l.judge(t, r)
	if over := r.Took.Minutes() - minutes; r.Code != 2 || !strings.Contains(r.Stderr, waited) || over < 0 || over > 2 {
		found = append(found, Finding{Else, fmt.Sprintf("want %q after %g minutes, and code 2\n%s", waited, minutes, r)})
	}
	_, more, err := l.compare(ctx)
	found = append(found, more...)
	l.table.Add(t.command, t.step.name(), found)
	if err == nil && len(found) > 0 {
		err = errors.New(tell(found))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	return nil
}

// tryAll goes on after a trial that failed, on a host made anew.
func (l *lane) tryAll(ctx context.Context, all []trial) error {
	var failed []error
	for _, t := range all {
		if !strings.HasPrefix(t.String(), l.only) {
			continue
		}
		err := l.try(ctx, t)
		if err == nil {
			continue
		}
		failed = append(failed, fmt.Errorf("CASE='%s' make chaos\n%w", t, err))
		l.say("%v", failed[len(failed)-1])
		if ctx.Err() != nil || len(failed) > 5 {
			break
		}
		if _, err := l.end(ctx); err != nil {
			return errors.Join(append(failed, err)...)
		}
		if err := l.settle(ctx, false); err != nil {
			return errors.Join(append(failed, err)...)
		}
	}
	return errors.Join(failed...)
}
