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
		{"hangs", hangs},
		{"creates", creates},
		{"lives", lives},
		{"undos", undos},
	}
}

// creates strikes every step of a create, the pull of its image and a push among them.
func creates(ctx context.Context, l *lane) error {
	first, again, err := l.twice(ctx)
	if err != nil {
		return err
	}
	var all []trial
	for _, s := range again {
		for _, b := range blows(s, killed) {
			if b != hung {
				all = append(all, trial{command: "create again", args: create("a"), given: l.blank, step: s, blow: b})
			}
		}
	}
	if err := l.bare(ctx); err != nil {
		return err
	}
	pulls, err := l.record(ctx, create("a"))
	if err != nil {
		return err
	}
	l.plan("create", lacking(first, again)) // undos strikes those that only a new machine has
	pulls = lacking(pulls, again)
	l.plan("create", pulls)
	for _, s := range pulls { // these take long: one blow each
		b := cut
		switch word, _, _ := strings.Cut(s.phase, " "); word {
		case "checking":
			b = killed
		case "installing":
			b = hung
		}
		all = append(all, trial{command: "create", args: create("a"), given: l.bare, step: s, blow: b})
	}
	return l.tryAll(ctx, all)
}

// lacking are the steps whose phases others are without.
func lacking(steps, others []step) []step {
	return slices.DeleteFunc(slices.Clone(steps), func(s step) bool {
		return slices.ContainsFunc(others, func(o step) bool { return o.phase == s.phase })
	})
}

// hangs does what creates leaves out, since it takes minutes of waiting.
func hangs(ctx context.Context, l *lane) error {
	_, again, err := l.twice(ctx)
	if err != nil {
		return err
	}
	var all []trial
	for _, s := range again {
		if s.call == "" {
			all = append(all, trial{command: "create again", args: create("a"), given: l.blank, step: s, blow: hung})
		}
	}
	return l.tryAll(ctx, all)
}

// twice makes the agent, and once more on the blank machine, and returns the steps of both:
// where the image is, they are others than at first. The second are planned.
func (l *lane) twice(ctx context.Context) (first, again []step, err error) {
	if first, err = l.settle(ctx); err != nil {
		return nil, nil, err
	}
	if err := l.blank(ctx); err != nil {
		return nil, nil, err
	}
	again, err = l.record(ctx, create("a"))
	l.plan("create again", again)
	return first, again, err
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
	if _, err := l.settle(ctx); err != nil {
		return err
	}
	second := slices.Replace(create("b"), 1, 2, "b@a")
	alone := func(ctx context.Context) error {
		if err := l.running(ctx); err != nil {
			return err
		}
		return l.who.Must(ctx, nil, "destroy", "--force", "b")
	}
	steps, err := l.record(ctx, second)
	if err != nil {
		return err
	}
	l.plan("create on a host", steps)
	if err := alone(ctx); err != nil {
		return err
	}
	var all []trial
	for _, s := range steps {
		for _, b := range blows(s, killed) {
			all = append(all, trial{command: "create on a host", args: second, given: alone, step: s, blow: b, files: []string{"a"}})
		}
	}
	there, err := l.turns(ctx)
	if err != nil {
		return err
	}
	failed := l.tryAll(ctx, all)
	if err := alone(ctx); err != nil { // with a second agent on it the host runs on
		return errors.Join(failed, err)
	}
	return errors.Join(failed, l.tryAll(ctx, there))
}

// turns are the trials of stop and start, in turn: what the one leaves is where the other
// begins.
func (l *lane) turns(ctx context.Context) ([]trial, error) {
	stop, start := []string{"stop", "a"}, []string{"start", "a"}
	stopping, err := l.record(ctx, stop)
	if err != nil {
		return nil, err
	}
	starting, err := l.record(ctx, start)
	if err != nil {
		return nil, err
	}
	l.plan("stop", stopping)
	l.plan("start", starting)
	var down, up []trial
	for _, s := range stopping {
		for _, b := range blows(s, killed) {
			down = append(down, trial{command: "stop", args: stop, given: l.running, step: s, blow: b})
		}
	}
	for _, s := range starting {
		for _, b := range blows(s, killed, interrupted) {
			up = append(up, trial{command: "start", args: start, given: l.stopped, step: s, blow: b, files: []string{"a"}})
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
	return all, nil
}

// blows are those that a step can meet, and some at the command itself.
func blows(s step, also ...blow) []blow {
	if s.call != "" {
		return []blow{killed, killedAfter}
	}
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
		before, phase string
		blow          blow
	}{
		{"sending mngrd", "handing the host over to mngrd", cut},
		{"handing the host over to mngrd", "waiting for cloud-init", interrupted},
		{"waiting for cloud-init", "starting the Docker engine", cut},
		{"sending mngrd", "handing the host over to mngrd", killed},
	} {
		s := step{phase: c.phase, before: c.before, use: machine, nth: 1}
		if err := l.undone(ctx, trial{command: "create", args: create("u"), step: s, blow: c.blow}); err != nil {
			return err
		}
	}
	return nil
}

// undone strikes one create and wants nothing to be left of it, where it was killed after
// a destroy.
func (l *lane) undone(ctx context.Context, t trial) error {
	r, err := l.suffer(ctx, t)
	for n := 1; errors.Is(err, errNotHit) && n < missed; n++ {
		if _, err = l.end(ctx); err == nil {
			r, err = l.suffer(ctx, t)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	found := l.judge(t, r)
	if r.Code == 0 {
		found = append(found, Finding{Else, "it went on\n" + r.String()})
	}
	if t.blow == interrupted && r.Code != 130 {
		found = append(found, Finding{Else, "it was interrupted, and says otherwise\n" + r.String()})
	}
	all, more, err := l.compare(ctx)
	found = append(found, more...)
	if t.blow != killed && len(all.Hosts) > 0 {
		found = append(found, Finding{Leak, "it is not undone\n" + r.String()})
	}
	if err == nil {
		more, err = l.end(ctx)
		found = append(found, more...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	l.count(t, found)
	l.say("%-60s %5.1fs", t, r.Took.Seconds())
	if len(found) > 0 {
		return fmt.Errorf("%s: %s", t, tell(found))
	}
	return nil
}

// silence lets a whole deadline pass: that of a new machine's SSH, eight minutes.
func silence(ctx context.Context, l *lane) error {
	l.who.Limit = bootLimit
	t := trial{command: "create", args: create("u"), step: step{phase: "waiting for SSH on the machine", use: machine.opening(), nth: 1}, blow: silent}
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
	l.count(t, found)
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
		if _, err := l.settle(ctx); err != nil {
			return errors.Join(append(failed, err)...)
		}
	}
	return errors.Join(failed...)
}
