package fleet

import (
	"context"
	"errors"
	"fmt"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/records"
)

// Started is what happened to one host and its agents.
type Started struct {
	Host     agent.Host
	Agents   []string // names that run now
	Booted   bool     // the machine was down before
	Warnings []string
}

// Start brings up the host that rows share and makes sure that their agents run. An
// unfinished host is finished.
func (f *Fleet) Start(ctx context.Context, rows []Row, progress agent.Progress) (Started, error) {
	out := Started{Host: rows[0].Host}
	h := &out.Host
	inst, err := f.machinesOf(ctx, *h)
	if err != nil {
		return out, err
	}
	if unfinished(*h) && h.State != agent.HostFailed {
		return f.startUnfinished(ctx, inst, out, progress)
	}
	switch h.State {
	case agent.HostRunning, agent.HostUnreachable:
	case agent.HostStopped, agent.HostStoppedBilling, agent.HostStopping:
		if err := f.boot(ctx, inst, h, progress); err != nil {
			return out, err
		}
		out.Booted = true
	default:
		return out, agent.Errorf(agent.KindConflict, "host %q is %s: %s", h.Name, h.State, h.Failure).
			WithHint("mngr list; mngr destroy %s removes it", rows[0].Agent.Name)
	}
	return out, f.startAgents(ctx, inst, &out, rows, progress)
}

func (f *Fleet) startUnfinished(ctx context.Context, inst Instance, out Started, progress agent.Progress) (Started, error) {
	o, err := f.pendingOptions(out.Host)
	if err != nil {
		return out, err
	}
	out.Booted = true
	if err := f.finish(ctx, inst, &out.Host, o, progress); err != nil {
		return out, err
	}
	out.Agents = []string{o.Name}
	return out, f.Pending.Remove(out.Host.ID)
}

// boot allocates the machine; the container and the agents that ran come up with it.
func (f *Fleet) boot(ctx context.Context, inst Instance, h *agent.Host, progress agent.Progress) error {
	if err := inst.Start(ctx, h.Resource, true, progress); err != nil {
		return fmt.Errorf("start host %q: %w", h.Name, err)
	}
	if err := f.settled(ctx, inst, h); err != nil {
		return err
	}
	return nil
}

func (f *Fleet) startAgents(ctx context.Context, inst Instance, out *Started, rows []Row, progress agent.Progress) error {
	progress("waiting for the container")
	g, err := f.dial(ctx, out.Host, Container, agent.DeadlineVMSSH, "the container's SSH server")
	if errors.Is(err, ErrNoAccess) {
		out.Warnings = append(out.Warnings, "the machine runs, but it does not know this machine's key: whether the agents run cannot be seen from here")
		return f.untagStart(ctx, inst, *out, nil, progress)
	}
	if err != nil {
		return err
	}
	defer g.Close()
	for _, r := range rows {
		progress("starting agent " + r.Agent.Name)
		ref := &ctl.AgentRef{ID: string(r.Agent.ID)}
		if _, err := call(ctx, g, ctl.Request{Op: ctl.OpAgentStart, Ref: ref}, progress); err != nil {
			return fmt.Errorf("start agent %q: %w", r.Agent.Name, err)
		}
		out.Agents = append(out.Agents, r.Agent.Name)
	}
	return f.untagStart(ctx, inst, *out, rows, progress)
}

// untagStart removes what stop wrote into the tags, in one write, if there is any.
func (f *Fleet) untagStart(ctx context.Context, inst Instance, out Started, rows []Row, progress agent.Progress) error {
	var remove []string
	if _, ok := out.Host.Tags[records.StoppedBy]; ok {
		remove = append(remove, records.StoppedBy)
	}
	for _, r := range rows {
		if out.Host.Stopped[r.Agent.ID] {
			name, _ := records.StoppedTag(r.Agent.ID)
			remove = append(remove, name)
		}
	}
	if len(remove) == 0 {
		return nil
	}
	progress("recording it in the tags")
	if err := inst.MergeTags(ctx, out.Host.Resource, nil, remove); err != nil {
		return fmt.Errorf("update the tags of host %q: %w", out.Host.Name, err)
	}
	return nil
}
