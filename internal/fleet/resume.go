package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"mngr/internal/agent"
)

// resume finishes a host whose creation was cut short, or returned early on request. A
// machine that Azure itself calls failed is removed and made anew, unless agents have run
// on it: their files may be on its disk.
func (f *Fleet) resume(ctx context.Context, inst Instance, h agent.Host, o CreateOptions, progress agent.Progress) (Created, error) {
	if len(h.Agents) == 0 || h.Agents[0].Name != o.Name {
		return Created{}, agent.Errorf(agent.KindExists, "host %q exists and its creation is not finished", h.Name).
			WithHint("mngr destroy @%s", h.Name)
	}
	unlock, err := f.lock(h)
	if err != nil {
		return Created{}, err
	}
	defer unlock()
	if err := f.sameRequest(h, o); err != nil {
		return Created{}, err
	}
	begunHere, err := f.begunHere(inst, h)
	if err != nil {
		return Created{}, err
	}
	// Azure's own word counts here, not the age of an unfinished host: that one may work.
	progress("asking Azure about host " + h.Name)
	fresh, err := inst.Get(ctx, h.Resource)
	if err != nil {
		return Created{}, err
	}
	if fresh.State == agent.HostFailed && !neverFinished(h) {
		h.State, h.Failure = fresh.State, fresh.Failure
		return Created{}, cannotStart(h).WithHint("mngr start %s # tries again; mngr destroy @%s removes it with the files of its agents", o.Name, h.Name)
	}
	if fresh.State == agent.HostFailed {
		o.stakes(&AtStake{Host: h})
		progress("removing the failed host " + h.Name)
		if err := f.DestroyHost(ctx, h, progress); err != nil {
			return Created{}, fmt.Errorf("remove the failed host %q: %w", h.Name, err)
		}
		o.Host = h.Name
		return f.createHost(ctx, inst, o, progress)
	}
	if !begunHere {
		return Created{}, beingMade(h)
	}
	if err := f.mayStay(ctx, inst, h); err != nil {
		return Created{}, err
	}
	h.State, h.Failure = fresh.State, fresh.Failure
	made := Created{Agent: h.Agents[0], Host: h}
	if o.NoWait {
		if _, err := f.Pending.Load(h.ID); err == nil {
			return made, nil
		}
		return made, f.save(h, o, true)
	}
	o.stakes(&AtStake{Host: h})
	status, warnings, err := f.finish(ctx, inst, &made.Host, o, progress)
	if made.Warnings = warnings; err != nil {
		return made, err
	}
	if w := endedAtOnce(status); w != "" {
		made.Warnings = append(made.Warnings, w)
	}
	made.Finished = true
	return made, f.Pending.Remove(h.ID)
}

// begunHere tells whether a create on this machine began a host, or one on a machine with
// the same key: no other can finish it, and it may be at work.
func (f *Fleet) begunHere(inst Instance, h agent.Host) (bool, error) {
	if _, err := f.Pending.Load(h.ID); err == nil || h.MakerKey == "" {
		return true, nil
	}
	key, err := f.Guests.EnsureKey(inst.Name())
	return key == h.MakerKey, err
}

func beingMade(h agent.Host) error {
	return agent.Errorf(agent.KindConflict, "host %q is being made from another machine, %s", h.Name, h.Begun()).
		WithHint("mngr list # shows how far it is; if that one is gone: mngr destroy --force @%s", h.Name)
}

// lock refuses to work on a host on which another process of this machine works.
func (f *Fleet) lock(h agent.Host) (unlock func(), err error) {
	unlock, taken, err := f.Pending.Lock(h.ID)
	if err == nil && !taken {
		err = agent.Errorf(agent.KindConflict, "another mngr on this machine is making host %q", h.Name).WithHint("mngr list # shows how far it is")
	}
	return unlock, err
}

// sameRequest refuses to finish a host for another command than the one it was begun for,
// where this machine remembers that one.
func (f *Fleet) sameRequest(h agent.Host, o CreateOptions) error {
	begun, err := f.pendingOptions(h)
	if err != nil {
		return nil // begun elsewhere: the new request is all there is
	}
	if begun.Type == o.Type && slices.Equal(begun.Argv, o.Argv) && begun.Build.same(o.Build) && begun.Unsafe == o.Unsafe {
		return nil
	}
	return agent.Errorf(agent.KindConflict, "an unfinished create of %q is to run something else", o.Name).
		WithHint("mngr start %s # finishes it; or: mngr destroy @%s", o.Name, h.Name)
}

// finish brings an accepted machine to its end from whatever point it is at. It undoes
// nothing: what it met was left by somebody else's command.
func (f *Fleet) finish(ctx context.Context, inst Instance, h *agent.Host, o CreateOptions, progress agent.Progress) (status launched, warnings []string, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = agent.Errorf(agent.KindCanceled, "interrupted; host %q is not finished, and bills unless list shows that it is deallocated", h.Name).
				WithHint("mngr start %s # goes on; mngr destroy @%s removes it", o.Name, h.Name)
		}
	}()
	progress("finishing host " + h.Name + ", which bills")
	switch h.State {
	case agent.HostStopping:
		progress("waiting for Azure to finish deallocating")
		if err := f.deallocated(ctx, inst, h); err != nil {
			return status, nil, err
		}
		fallthrough
	case agent.HostStopped, agent.HostStoppedBilling:
		if _, err := f.power(ctx, inst, h, true, progress); err != nil {
			return status, nil, err
		}
	}
	progress("waiting for Azure to finish")
	if err := f.settled(ctx, inst, h); err != nil {
		return status, nil, err
	}
	if status, err = f.finishGuest(ctx, inst, h, o, progress); err != nil {
		return status, nil, err
	}
	// Whoever began may have died before the machine got its right.
	if ok, why := inst.LetStopItself(ctx, h.Resource); !ok {
		warnings = append(warnings, cannotStopItself(why))
	}
	return status, warnings, nil
}

func cannotStopItself(why string) string {
	return "the host cannot deallocate itself when idle: " + why
}

func (f *Fleet) finishGuest(ctx context.Context, inst Instance, h *agent.Host, o CreateOptions, progress agent.Progress) (_ launched, err error) {
	ctx, done := inTime(ctx, "finishing host "+h.Name)
	defer done(&err)
	status, err := f.setUp(ctx, inst, h, o, progress)
	if errors.Is(err, ErrNoAccess) {
		return status, beingMade(*h)
	}
	if err != nil {
		return status, runsOn(*h, fmt.Errorf("finish host %q: %w", h.Name, err))
	}
	return status, f.publishKeys(ctx, inst, *h, progress)
}

// settled waits until the machine is running with an address and no operation is under
// way on it.
func (f *Fleet) settled(parent context.Context, inst Instance, h *agent.Host) (err error) {
	ctx, done := agent.Within(parent, agent.DeadlineOperation, "waiting for Azure to finish what it does with host "+h.Name)
	defer done(&err)
	for {
		fresh, err := inst.Get(ctx, h.Resource)
		if parent.Err() != nil {
			return parent.Err()
		}
		if err != nil {
			return err
		}
		f.refresh(h, fresh)
		switch fresh.State {
		case agent.HostRunning:
			return f.addressed(parent, inst, h)
		case agent.HostFailed, agent.HostEvicted, agent.HostDeleting, agent.HostStopped:
			return notSettled(*h, fresh)
		}
		if err := pause(ctx); err != nil && parent.Err() == nil {
			return agent.Errorf(agent.KindTimeout, "host %q is still %s after %s", h.Name, fresh.State, agent.DeadlineOperation)
		}
	}
}

// notSettled is the error of a host that has become what it cannot run as. Azure's own word
// counts, not the age of an unfinished host.
func notSettled(h, fresh agent.Host) error {
	h.State, h.Failure = fresh.State, fresh.Failure
	err, begun := cannotStart(h), neverFinished(h)
	switch {
	case h.State == agent.HostDeleting:
		return err.WithHint("mngr list # shows when it is gone")
	case begun && h.State != agent.HostStopped:
		return err.WithHint("mngr destroy --force @%s", h.Name)
	case len(h.Agents) == 0:
		return err.WithHint("mngr list")
	case h.State == agent.HostFailed:
		return err.WithHint("mngr start %[1]s@%[2]s # tries again; mngr destroy @%[2]s removes it with the files of its agents", h.Agents[0].Name, h.Name)
	}
	return err.WithHint("mngr start %s@%s # tries again", h.Agents[0].Name, h.Name)
}

// addressed waits until a machine that runs shows its address, without which nobody enters it.
func (f *Fleet) addressed(parent context.Context, inst Instance, h *agent.Host) error {
	ctx, done := agent.Within(parent, agent.DeadlineAddress, "waiting for the address of host "+h.Name)
	defer done(nil)
	for told := false; h.Address == "" && h.HostKeys != (agent.HostKeys{}); told = true { // nobody here can enter one without keys anyway
		if !told {
			agent.Tell(parent, "waiting for the address")
		}
		waited := pause(ctx)
		if parent.Err() != nil {
			return parent.Err()
		}
		if waited != nil {
			return agent.Errorf(agent.KindTimeout, "host %q runs, and bills, but has had no public address for %s: has somebody removed it?", h.Name, agent.DeadlineAddress).
				WithHint("mngr stop --stop-host @%s # ends its bill; mngr destroy --force @%s removes it", h.Name, h.Name)
		}
		fresh, err := inst.Get(parent, h.Resource)
		if err != nil {
			return err
		}
		f.refresh(h, fresh)
		if fresh.State != agent.HostRunning {
			return f.settled(parent, inst, h)
		}
	}
	return nil
}

// CanFinish tells whether this machine knows what remains to be done for an unfinished host:
// no other can finish it.
func (f *Fleet) CanFinish(h agent.Host) bool {
	_, err := f.Pending.Load(h.ID)
	return err == nil
}

// pendingOptions returns what a create with --no-wait on this machine left to be done.
func (f *Fleet) pendingOptions(h agent.Host) (CreateOptions, error) {
	begun, err := f.begun(h)
	return begun.CreateOptions, err
}

func (f *Fleet) begun(h agent.Host) (begunCreate, error) {
	data, err := f.Pending.Load(h.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return begunCreate{}, agent.Errorf(agent.KindConflict, "host %q is not finished and was begun on another machine", h.Name).
			WithHint("mngr destroy --force @%s # removes it; or repeat its mngr create there", h.Name)
	}
	if err != nil {
		return begunCreate{}, err
	}
	var o begunCreate
	if err := json.Unmarshal(data, &o); err != nil {
		return begunCreate{}, fmt.Errorf("read what remains to be done for host %q: %w", h.Name, err)
	}
	o.NoWait = false
	return o, nil
}
