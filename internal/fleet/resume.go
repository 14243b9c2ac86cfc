package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"mngr/internal/agent"
)

// resume finishes a host whose creation was cut short, or returned early on request. A
// machine that Azure itself calls failed is removed and made anew.
func (f *Fleet) resume(ctx context.Context, inst Instance, h agent.Host, o CreateOptions, progress agent.Progress) (Created, error) {
	if len(h.Agents) == 0 || h.Agents[0].Name != o.Name {
		return Created{}, agent.Errorf(agent.KindExists, "host %q exists and its creation is not finished", h.Name).
			WithHint("mngr destroy @%s", h.Name)
	}
	if h.State == agent.HostFailed && h.HostKeys.Container == "" && h.Address == "" {
		progress("removing the failed host " + h.Name)
		if err := inst.Destroy(ctx, h, progress); err != nil {
			return Created{}, fmt.Errorf("remove the failed host %q: %w", h.Name, err)
		}
		o.Host = h.Name
		return f.createHost(ctx, inst, o, progress)
	}
	made := Created{Agent: h.Agents[0], Host: h}
	if o.NoWait {
		return made, nil
	}
	progress("finishing host " + h.Name)
	if err := f.finish(ctx, inst, &made.Host, o, progress); err != nil {
		return made, err
	}
	made.Finished = true
	return made, f.Pending.Remove(h.ID)
}

// finish brings an accepted machine to its end from whatever point it is at. It undoes
// nothing: what it met was left by somebody else's command.
func (f *Fleet) finish(ctx context.Context, inst Instance, h *agent.Host, o CreateOptions, progress agent.Progress) error {
	if h.State == agent.HostStopped || h.State == agent.HostStoppedBilling {
		progress("starting the virtual machine")
		if err := inst.Start(ctx, h.Resource, true, progress); err != nil {
			return err
		}
	}
	progress("waiting for Azure to finish")
	if err := f.settled(ctx, inst, h); err != nil {
		return err
	}
	_, err := f.setUp(ctx, inst, h, o, progress)
	if errors.Is(err, ErrNoAccess) {
		return agent.Errorf(agent.KindConflict, "host %q is being created from another machine", h.Name).
			WithHint("if that one is gone: mngr destroy --force %s", o.Name)
	}
	if err != nil {
		return fmt.Errorf("finish host %q: %w", h.Name, err)
	}
	return f.publishKeys(ctx, inst, *h, progress)
}

// settled waits until the machine is running with an address and no operation is under
// way on it.
func (f *Fleet) settled(ctx context.Context, inst Instance, h *agent.Host) error {
	ctx, cancel := context.WithTimeout(ctx, agent.DeadlineOperation)
	defer cancel()
	for {
		fresh, err := inst.Get(ctx, h.Resource)
		if err != nil {
			return err
		}
		*h = fresh
		f.read(h)
		switch fresh.State {
		case agent.HostRunning:
			if h.Address != "" {
				return nil
			}
		case agent.HostFailed, agent.HostEvicted, agent.HostDeleting, agent.HostStopped:
			return agent.Errorf(agent.KindConflict, "host %q is %s: %s", h.Name, fresh.State, fresh.Failure).
				WithHint("mngr destroy --force %s", h.Name)
		}
		if err := pause(ctx); err != nil {
			return agent.Errorf(agent.KindTimeout, "host %q is still %s after %s", h.Name, fresh.State, agent.DeadlineOperation)
		}
	}
}

// pendingOptions returns what a create with --no-wait on this machine left to be done.
func (f *Fleet) pendingOptions(h agent.Host) (CreateOptions, error) {
	data, err := f.Pending.Load(h.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return CreateOptions{}, agent.Errorf(agent.KindConflict, "host %q is not finished and was begun on another machine", h.Name).
			WithHint("repeat its mngr create there, or mngr destroy --force it")
	}
	if err != nil {
		return CreateOptions{}, err
	}
	var o CreateOptions
	if err := json.Unmarshal(data, &o); err != nil {
		return CreateOptions{}, fmt.Errorf("read what remains to be done for host %q: %w", h.Name, err)
	}
	o.NoWait = false
	return o, nil
}
