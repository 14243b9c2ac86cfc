package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/plain"
	"mngr/internal/records"
)

// StopOptions say how far `stop` goes.
type StopOptions struct {
	KeepHost bool // leave the machine up, even without agents
	StopHost bool // end other agents too; never uses SSH
	NoWait   bool // return once Azure has accepted the deallocation
}

// Stopped is what happened to one host.
type Stopped struct {
	Host        agent.Host
	Agents      []string // names of agents that were ended alone
	Deallocated bool     // or accepted for it
	Already     bool     // nothing had to be done
	Warnings    []string
}

// Stop ends the agents of one host (rows share it). When no other agent runs there, the
// machine is deallocated; it is never left running for want of an answer without saying so.
func (f *Fleet) Stop(ctx context.Context, rows []Row, o StopOptions, progress agent.Progress) (Stopped, error) {
	ctx = agent.WithProgress(ctx, progress)
	h := rows[0].Host
	inst, err := f.machinesOf(h)
	if err != nil {
		return Stopped{}, err
	}
	switch h.State {
	case agent.HostStopped, agent.HostEvicted:
		return Stopped{Host: h, Already: true}, nil
	case agent.HostStoppedBilling, agent.HostStopping:
		return f.deallocate(ctx, inst, h, nil, o, progress)
	case agent.HostDeleting:
		return Stopped{}, agent.Errorf(agent.KindConflict, "host %q is being deleted", h.Name)
	}
	if o.StopHost {
		return f.deallocate(ctx, inst, h, nil, o, progress)
	}
	progress("asking host " + h.Name + " who runs")
	guest, others, err := f.whoElseRuns(ctx, h, rows)
	if guest != nil {
		defer guest.Close()
	}
	switch {
	case ctx.Err() != nil:
		return Stopped{}, unstopped(h)
	case err != nil && (o.KeepHost || len(others) > 0):
		return Stopped{}, refuseStop(h, others, err)
	case !o.KeepHost && len(others) == 0:
		return f.deallocate(ctx, inst, h, guest, o, progress)
	}
	return f.stopAlone(ctx, inst, h, guest, rows, progress)
}

// whoElseRuns names the agents beside rows that run, or may run. With an error nobody
// could be asked and the names come from the tags.
func (f *Fleet) whoElseRuns(ctx context.Context, h agent.Host, rows []Row) (Guest, []string, error) {
	mine := map[agent.ID]bool{}
	for _, r := range rows {
		mine[r.Agent.ID] = true
	}
	fromTags := func() (names []string) {
		for _, a := range h.Agents {
			if !mine[a.ID] && !h.Stopped[a.ID] {
				names = append(names, a.Name)
			}
		}
		return names
	}
	ctx, done := agent.Within(ctx, agent.DeadlineGuestReply, "asking host "+h.Name+" who runs")
	defer done(nil)
	guest, err := f.Guests.Dial(ctx, h, Container)
	if err != nil {
		return nil, fromTags(), err
	}
	answer, err := call(ctx, guest, ctl.Request{Op: ctl.OpStatus}, nil)
	if err == nil && answer.Container == nil {
		err = errors.New("mngrd sent an empty answer")
	}
	if err != nil {
		_ = guest.Close()
		return nil, fromTags(), err
	}
	var names []string
	for _, a := range answer.Container.Agents {
		running := a.State == string(agent.Running) || a.State == string(agent.Waiting)
		if running && !mine[agent.ID(a.ID)] {
			names = append(names, plain.Strip(a.Name))
		}
	}
	return guest, names, nil
}

func refuseStop(h agent.Host, others []string, cause error) error {
	what := fmt.Sprintf("host %q does not answer", h.Name)
	if errors.Is(cause, ErrNoAccess) {
		what = fmt.Sprintf("host %q cannot be asked: %v", h.Name, cause)
	}
	if len(others) > 0 {
		what += " and these agents may run on it: " + join(others)
	}
	return (&agent.Error{Kind: agent.KindRefused, Cause: what + "; nothing was changed", Err: cause}).
		WithHint("mngr stop --stop-host @%s # ends them all and deallocates the machine without SSH", h.Name)
}

// stopAlone ends agents and leaves their host up.
func (f *Fleet) stopAlone(ctx context.Context, inst Instance, h agent.Host, g Guest, rows []Row, progress agent.Progress) (Stopped, error) {
	out := Stopped{Host: h}
	tags := map[string]string{}
	for _, r := range rows {
		progress("stopping agent " + r.Agent.Name)
		ref := &ctl.AgentRef{ID: string(r.Agent.ID)}
		if _, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpAgentStop, Ref: ref}, nil); err != nil {
			return out, orElse(fmt.Errorf("stop agent %q: %w", r.Agent.Name, err), "mngr stop %s # again; mngr stop --stop-host %s ends its host without SSH", r.Agent.Name, r.Agent.Name)
		}
		out.Agents = append(out.Agents, r.Agent.Name)
		name, value := records.StoppedTag(r.Agent.ID)
		tags[name] = value
	}
	_, err := f.write(ctx, inst, h, progress, func(now agent.Host) (map[string]string, []string, error) {
		if !settledState(now.State) || records.Fits(now.Tags, tags) != nil {
			return nil, nil, nil // where there is no room the guest alone knows
		}
		return tags, nil, nil
	})
	if err != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the agents are stopped, but the tags could not say so: %v", err))
	}
	return out, nil
}

// deallocate stops a whole host. What comes before the deallocation may fail, and once
// the container is down an interrupt comes too late: the bill must end all the same.
func (f *Fleet) deallocate(ctx context.Context, inst Instance, h agent.Host, g Guest, o StopOptions, progress agent.Progress) (Stopped, error) {
	if ctx.Err() != nil {
		return Stopped{}, unstopped(h)
	}
	if err := f.made(ctx, inst, &h, progress); err != nil {
		return Stopped{}, err
	}
	out := Stopped{Host: h}
	told := context.AfterFunc(ctx, func() { progress(PhaseStopAnyway) })
	defer told()
	if g != nil {
		progress("stopping the container")
		f.stopContainer(ctx, h)
	}
	if err := f.tagStopped(ctx, inst, h, progress); err != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the tags could not be updated: %v", err))
	}
	err := inst.Machines.Stop(ctx, h.Resource, !o.NoWait, progress)
	switch {
	case agent.KindOf(err) == agent.KindCanceled:
		return out, agent.Errorf(agent.KindCanceled, "interrupted; Azure goes on deallocating host %q", h.Name).WithHint("mngr list")
	case err != nil:
		return out, f.stillUp(context.WithoutCancel(ctx), inst, h, err)
	}
	out.Deallocated = true
	return out, nil
}

// PhaseStopAnyway is shown when an interrupt comes too late to leave a host as it was.
const PhaseStopAnyway = "interrupted: the machine is deallocated all the same (interrupt again to leave at once)"

func unstopped(h agent.Host) error {
	return agent.Errorf(agent.KindCanceled, "interrupted; nothing was changed: host %q runs on", h.Name).WithHint("mngr list")
}

// tagStopped says in the tags that a user stopped the host, while nothing is under way
// on the machine that a write could preempt.
func (f *Fleet) tagStopped(ctx context.Context, inst Instance, h agent.Host, progress agent.Progress) (err error) {
	ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineAccept, "recording it in the tags")
	defer done(&err)
	return f.closeRun(ctx, inst, h, progress, func(now agent.Host) bool { return settledState(now.State) })
}

// closeRun settles the account of a host in its tags, and says that a user has stopped it,
// if it still is as it must be then.
func (f *Fleet) closeRun(ctx context.Context, inst Instance, h agent.Host, progress agent.Progress, still func(agent.Host) bool) error {
	_, err := f.write(ctx, inst, h, progress, func(now agent.Host) (map[string]string, []string, error) {
		if !still(now) {
			return nil, nil, nil
		}
		remove := make([]string, 0, len(now.Stopped))
		for id := range now.Stopped {
			name, _ := records.StoppedTag(id)
			remove = append(remove, name)
		}
		set := f.settle(now)
		if by := map[string]string{records.StoppedBy: records.StoppedByUser}; records.Fits(now.Tags, by) == nil { // else nobody will know who stopped it
			maps.Copy(set, by)
		}
		return set, remove, nil
	})
	return err
}

// stillUp is the error of a host that could not be stopped: what it costs now is the news.
func (f *Fleet) stillUp(ctx context.Context, inst Instance, h agent.Host, cause error) error {
	fresh, err := inst.Get(ctx, h.Resource)
	if agent.KindOf(err) == agent.KindNotFound {
		return destroyedMeanwhile(h, cause)
	}
	if err == nil && fresh.State == agent.HostFailed && neverFinished(h) {
		return &agent.Error{Kind: agent.KindOf(cause), Err: cause, Hint: "mngr destroy @" + h.Name + " # it was never finished, and has nobody's work",
			Cause: fmt.Sprintf("host %q is FAILED, cannot be deallocated, and may bill: %v", h.Name, cause)}
	}
	if err != nil || fresh.Billing != agent.BillingCompute {
		return fmt.Errorf("deallocate host %q: %w", h.Name, cause)
	}
	e := &agent.Error{Kind: agent.KindOf(cause), Err: cause, Hint: agent.HintOf(cause),
		Cause: fmt.Sprintf("host %q is %s and bills: %v", h.Name, fresh.State, cause)}
	if e.Hint == "" {
		e.Hint = "mngr stop @" + h.Name + " # tries again"
	}
	return e
}

// destroyedMeanwhile is the error of a host that was there when it was looked for.
func destroyedMeanwhile(h agent.Host, cause error) error {
	return &agent.Error{Kind: agent.KindNotFound, Err: cause, Hint: "mngr list",
		Cause: fmt.Sprintf("host %q is gone: somebody has destroyed it meanwhile", h.Name)}
}

// settledState tells the states in which no operation is under way on a machine.
func settledState(s agent.HostState) bool {
	switch s {
	case agent.HostRunning, agent.HostUnreachable, agent.HostStoppedBilling:
		return true
	}
	return false
}

// deallocated waits for the end of an accepted deallocation, be it that somebody else's start
// or a failure has ended it. It leaves in h the host as it is then.
func (f *Fleet) deallocated(ctx context.Context, inst Instance, h *agent.Host) error {
	waiting, done := agent.Within(ctx, agent.DeadlineOperation, "waiting for Azure to finish deallocating host "+h.Name)
	defer done(nil)
	for up := false; ; { // seen twice: one answer may be older than the deallocation
		fresh, err := inst.Get(waiting, h.Resource)
		if ctx.Err() != nil {
			return agent.Errorf(agent.KindCanceled, "interrupted; Azure goes on deallocating host %q", h.Name)
		}
		switch {
		case err != nil && waiting.Err() == nil:
			return err
		case err == nil && (fresh.State == agent.HostStopped || fresh.State == agent.HostEvicted || up && isUp(fresh)):
			f.refresh(h, fresh)
			return nil
		case err == nil && (fresh.State == agent.HostDeleting || fresh.State == agent.HostFailed):
			f.refresh(h, fresh)
			return notSettled(*h, fresh)
		case err == nil && fresh.State == agent.HostStoppedBilling && fresh.Failure != "":
			return agent.Errorf(agent.KindRemains, "host %q is off but not deallocated, and bills: %s", h.Name, fresh.Failure).
				WithHint("mngr stop --stop-host @%s # again", h.Name)
		}
		up = err == nil && isUp(fresh)
		if pause(waiting) != nil && ctx.Err() == nil {
			return agent.Errorf(agent.KindTimeout, "host %q is not deallocated after %s, and may bill", h.Name, agent.DeadlineOperation).
				WithHint("mngr list")
		}
	}
}

// isUp tells a machine that runs, or will.
func isUp(h agent.Host) bool { return h.State == agent.HostRunning || h.State == agent.HostStarting }

// stopContainer gives agents a clean end. It is a courtesy: the machine's own shutdown
// does the same.
func (f *Fleet) stopContainer(ctx context.Context, h agent.Host) {
	ctx, done := agent.Within(ctx, agent.DeadlineGuestStop, "stopping the container")
	defer done(nil)
	vm, err := f.Guests.Dial(ctx, h, VM)
	if err != nil {
		return
	}
	defer vm.Close()
	_, _ = call(ctx, vm, ctl.Request{Op: ctl.OpHostStop}, nil)
}
