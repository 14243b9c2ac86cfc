package fleet

import (
	"context"
	"maps"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// How long a host's machine was billed stands in two tags, of which one merge writes both:
// the seconds until a moment, and the moment. Every write of ours settles them until now, so
// that a command that dies half-way, or two that run at once, leave a true account. While a
// machine is down nothing counts: from its deallocation on where nobody has written it, which
// the cloud remembers as long as nobody changes the machine.

// settle are the tags that count a host's run until now; none where it is not known.
func (f *Fleet) settle(h agent.Host) map[string]string {
	tags := map[string]string{}
	maps.Copy(tags, records.EncodeRun(h.Settled(f.Now())))
	return tags
}

// refresh replaces what is known of a host with what its provider shows now.
func (f *Fleet) refresh(h *agent.Host, fresh agent.Host) {
	fresh.Via = h.Via
	*h = fresh
	f.read(h)
}

// power starts a machine. The run that begins is written down before: were it written
// afterwards, a command that dies in between would have the time that the machine was down
// counted. Whoever finds that somebody else has started it meanwhile leaves the account to
// that one.
func (f *Fleet) power(ctx context.Context, inst Instance, h *agent.Host, wait bool, progress agent.Progress) (whose, error) {
	fresh, err := inst.Get(ctx, h.Resource)
	if err != nil {
		return nobodys, startFailed(*h, err)
	}
	f.refresh(h, fresh)
	if h.State == agent.HostStopping {
		progress("waiting for Azure to finish deallocating")
		if err := f.deallocated(ctx, inst, h); err != nil {
			return nobodys, err
		}
	}
	if _, err := f.mayStart(ctx, inst, *h); err != nil {
		return nobodys, err
	}
	was, err := f.openRun(ctx, inst, *h, progress)
	if err != nil {
		if ctx.Err() != nil { // it may be written
			f.takeRunBack(ctx, inst, *h)
		}
		return nobodys, startFailed(*h, err)
	}
	switch {
	case was.State == agent.HostStopping: // somebody has started and stopped it meanwhile
		return f.power(ctx, inst, h, wait, progress)
	case !isDown(was):
		by := ours
		if isUp(was) || was.State == agent.HostUnknown {
			by = theirs
		}
		err := inst.Start(ctx, h.Resource, wait, progress)
		return by.unless(err), startFailed(*h, err)
	}
	others, err := f.mayStart(ctx, inst, was)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		f.takeRunBack(ctx, inst, was)
		return nobodys, err
	}
	if err := inst.Start(ctx, h.Resource, wait, progress); err != nil {
		f.takeRunBack(ctx, inst, was)
		return ours.unless(err), startFailed(*h, err)
	}
	if err = f.mayRun(ctx, inst, was, others, progress); err == nil && !wait {
		err = ctx.Err() // of a request that was heard out
	}
	switch {
	case err == nil || ctx.Err() != nil && wait: // whoever waits takes back what is interrupted
		return ours, err
	case ctx.Err() != nil:
		err = interrupted()
	}
	return ours, f.stopAgain(ctx, inst, *h, err, progress)
}

// openRun writes that a machine which is down runs from now on. It returns the host as it
// was just before.
func (f *Fleet) openRun(ctx context.Context, inst Instance, h agent.Host, progress agent.Progress) (agent.Host, error) {
	return f.write(ctx, inst, h, progress, func(now agent.Host) (map[string]string, []string, error) {
		if now.Billing != agent.BillingStorage {
			return nil, nil, nil
		}
		var remove []string
		if _, ok := now.Tags[records.StoppedBy]; ok {
			remove = append(remove, records.StoppedBy)
		}
		return f.settle(now), remove, nil
	})
}

// fits refuses tags for which a host has no room, be it that of its account.
func fits(h agent.Host, add map[string]string) error {
	err := records.Fits(h.Tags, add)
	if err == nil || records.Fits(withoutRun(h.Tags), add) == nil {
		return nil
	}
	return err
}

func withoutRun(tags map[string]string) map[string]string {
	tags = maps.Clone(tags)
	for _, name := range records.RunTags() {
		delete(tags, name)
	}
	return tags
}
