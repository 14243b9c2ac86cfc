package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/hostsetup"
	"mngr/internal/records"
)

// PhaseUndo is the phase in which a failed create removes what it made.
const PhaseUndo = "undoing: removing the virtual machine (interrupt again to leave at once)"

// attempt asks for a machine and makes a host of it. The machine carries all tags
// from its first request on, so that whatever happens here, `list` shows it. The host it
// returns has a Resource as soon as the machine has been accepted.
func (f *Fleet) attempt(ctx context.Context, inst Instance, o CreateOptions, progress agent.Progress) (Created, error) {
	h, spec, err := f.design(ctx, inst, o)
	if err != nil {
		return Created{}, err
	}
	progress("checking what Azure needs")
	if err := f.mayMake(ctx, inst, spec); err != nil {
		return Created{}, err
	}
	if err := inst.Preflight(ctx, spec); err != nil {
		return Created{}, err
	}
	unlock, err := f.lock(h)
	if err != nil {
		return Created{}, err
	}
	defer unlock()
	if err := f.save(h, o, false); err != nil {
		return Created{}, err
	}
	o.stakes(&AtStake{Host: h})
	creation, err := inst.Machines.Create(ctx, spec, progress)
	if agent.KindOf(err) == agent.KindRemains {
		return Created{}, err // the machine may exist: what it is to become stays known
	}
	if err != nil {
		o.stakes(nil)
		return Created{}, errors.Join(err, f.Pending.Remove(h.ID))
	}
	_ = f.save(h, o, true) // without it destroy is more careful than it need be
	made := Created{Agent: h.Agents[0], Host: mergeHost(h, creation.Host())}
	if made.Host.Spot {
		f.rememberOne(inst.Name(), made.Host, nil)
	}
	if refused := f.stays(ctx, inst, &made, progress); refused != nil || o.NoWait && ctx.Err() != nil {
		o.KeepFailed = false // nothing is wrong with it that a look could show
		return made, f.undo(ctx, creation, made.Host, o, cmp.Or(refused, ctx.Err()), progress)
	}
	if !o.NoWait {
		work, err := f.complete(ctx, inst, creation, &made.Host, o, progress)
		if err != nil {
			return made, f.undo(ctx, creation, made.Host, o, err, progress)
		}
		made.finished(work)
		if err := f.Pending.Remove(h.ID); err != nil {
			return made, err
		}
	}
	// Asked last: the answer may take the directory's 90 s, and nothing else waits for it.
	if ok, why := creation.SelfStop(); !ok {
		made.Warnings = append(made.Warnings, cannotStopItself(why))
	}
	return made, nil
}

// design settles everything about a host before the first write.
func (f *Fleet) design(ctx context.Context, inst Instance, o CreateOptions) (agent.Host, agent.MachineSpec, error) {
	var none agent.MachineSpec
	control, err := inst.ControlPlane(ctx, o.Region)
	if err != nil {
		return agent.Host{}, none, err
	}
	clientKey, err := f.Guests.EnsureKey(inst.Name())
	if err != nil {
		return agent.Host{}, none, err
	}
	private, public, err := f.Guests.NewHostKey()
	if err != nil {
		return agent.Host{}, none, err
	}
	control.SelfStop = control.SelfStop && !o.Unsafe
	h := agent.Host{
		Unsafe: o.Unsafe,
		ID:     agent.NewHostID(), Name: o.Host, Provider: inst.Name(), CreatedAt: f.Now(),
		HostKeys: agent.HostKeys{VM: public},
		Agents:   []agent.Record{{ID: agent.NewID(), Name: o.Name, Type: o.Type, Labels: o.Labels}},
	}
	tags, err := records.NewHostTags(h)
	if err == nil {
		tags, err = withUserTags(tags, records.EncodeRun(agent.Run{Known: true, Since: h.CreatedAt}))
	}
	if err == nil {
		tags, err = withUserTags(tags, o.Tags)
	}
	if err != nil {
		return agent.Host{}, none, err
	}
	customData, err := hostsetup.CloudInit(hostsetup.Params{
		HostID: h.ID, HostName: h.Name, Provider: h.Provider,
		AuthorizedKeys: []string{clientKey},
		HostKey:        hostsetup.HostKey{Private: private, Public: public},
		DockerPackages: inst.Defaults.DockerPackages,
		ControlPlane:   control,
		AutoShutdown:   inst.Defaults.AutoShutdown,
	})
	if err != nil {
		return agent.Host{}, none, fmt.Errorf("write the machine's setup: %w", err)
	}
	return h, agent.MachineSpec{
		HostID: h.ID, HostName: h.Name, Region: o.Region, Size: o.Size, Spot: o.Spot, NoIdentity: o.Unsafe,
		CustomData: customData, AuthorizedKey: strings.TrimSpace(clientKey + " " + f.Maker), Tags: tags,
	}, nil
}

// mergeHost keeps what is known here and adds what Azure answered.
func mergeHost(h, answered agent.Host) agent.Host {
	answered.ID, answered.Name, answered.Provider = h.ID, h.Name, h.Provider
	answered.CreatedAt, answered.HostKeys, answered.Agents = h.CreatedAt, h.HostKeys, h.Agents
	answered.Via, answered.Unsafe = h.Provider, h.Unsafe
	return answered
}

// inTime begins what makes a host of a machine. Were it to last longer than the machine
// waits, that would deallocate itself under it.
func inTime(ctx context.Context, phase string) (bounded context.Context, done func(*error)) {
	bounded, end := agent.Within(ctx, agent.DeadlineCreate, phase)
	return bounded, func(err *error) {
		passed := ctx.Err() == nil && bounded.Err() != nil
		if end(err); passed && *err != nil {
			*err = orElse(*err, "mngr create --help # --image names an image that is built elsewhere, and is there sooner")
		}
	}
}

// complete makes a host of an accepted machine. SSH starts as soon as the address
// answers; the operation at Azure is watched meanwhile and ends the work if it fails.
func (f *Fleet) complete(ctx context.Context, inst Instance, c Creation, h *agent.Host, o CreateOptions, progress agent.Progress) (_ launched, err error) {
	ctx, done := inTime(ctx, "making host "+h.Name)
	defer done(&err)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	operation := make(chan error, 1)
	go func() {
		err := c.Wait(ctx)
		if err != nil {
			cancel(err)
		}
		operation <- err
	}()
	progress("waiting for the address")
	if h.Address, err = c.Address(ctx); err != nil {
		return launched{}, because(ctx, err)
	}
	status, err := f.setUp(ctx, inst, h, o, progress)
	if err != nil {
		return launched{}, because(ctx, err)
	}
	progress("waiting for Azure to finish")
	if err := <-operation; err != nil {
		return launched{}, err
	}
	return status, f.publishKeys(ctx, inst, *h, progress)
}

// because prefers the reason why a context was cancelled to the errors that followed.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// publishKeys is the last write of a creation: a host without its container's key in the
// tags counts as unfinished.
func (f *Fleet) publishKeys(ctx context.Context, inst Instance, h agent.Host, progress agent.Progress) error {
	progress("publishing the host keys")
	tags := map[string]string{records.HostKeys: records.EncodeHostKeys(h.HostKeys)}
	if err := inst.MergeTags(ctx, h.Resource, tags, nil); err != nil {
		return fmt.Errorf("publish the host keys: %w", err)
	}
	return nil
}

// undo removes a machine whose creation failed or was interrupted.
func (f *Fleet) undo(ctx context.Context, c Creation, h agent.Host, o CreateOptions, cause error, progress agent.Progress) error {
	if o.KeepFailed {
		return &agent.Error{
			Kind: agent.KindOf(cause), Err: cause,
			Cause: fmt.Sprintf("%v (host %q is kept: its machine, disk and address bill)", cause, h.Name),
			Hint: fmt.Sprintf("mngr exec --outer %s 'tail /var/log/cloud-init-output.log; docker logs mngr' # a look; then: mngr destroy --force @%s",
				o.Name, h.Name),
		}
	}
	if ctx.Err() != nil {
		cause = agent.Errorf(agent.KindCanceled, "interrupted; the half-made host is removed")
	}
	cause = f.outOfSpace(cause, o)
	cause = orElse(cause, againAll)
	ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineUndo, "removing the half-made host")
	defer done(nil) // what is left counts
	progress(PhaseUndo)
	if err := c.Undo(ctx, progress); err != nil {
		hint := agent.HintOf(err)
		if hint == "" || agent.KindOf(err) != agent.KindRemains {
			hint = "mngr destroy --force @" + string(h.ID) // another host may have the name by then
		}
		return &agent.Error{
			Kind:  agent.KindRemains,
			Cause: fmt.Sprintf("%v; and removing the half-made host failed: %v", cause, err),
			Hint:  hint, Err: err,
		}
	}
	o.stakes(nil)
	return errors.Join(cause, f.Pending.Remove(h.ID), f.Guests.Forget(h.ID), f.Spots.Remove(h.ID))
}

// begunCreate is what this machine keeps of a create that is not finished.
type begunCreate struct {
	CreateOptions
	Accepted bool // Azure has answered: the machine is there, or has been
}

// save keeps on this machine what remains to be done, since tags have no room for it.
func (f *Fleet) save(h agent.Host, o CreateOptions, accepted bool) error {
	data, err := json.Marshal(begunCreate{o, accepted})
	if err != nil {
		return fmt.Errorf("keep the request: %w", err)
	}
	return f.Pending.Save(h.ID, data)
}
