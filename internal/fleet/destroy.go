package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/records"
)

// DestroyPlan is what destroying some agents would remove.
type DestroyPlan struct {
	Hosts  []agent.Host // whole, with all their agents
	Agents []Row        // alone, since their hosts have others
}

// PlanDestroy decides which hosts go as a whole: those whose agents are all named, and
// those named themselves.
func PlanDestroy(rows []Row, hosts []agent.Host) DestroyPlan {
	var plan DestroyPlan
	whole := map[string]bool{}
	for _, h := range hosts {
		if !whole[h.Resource] {
			whole[h.Resource] = true
			plan.Hosts = append(plan.Hosts, h)
		}
	}
	for _, group := range ByHost(rows) {
		h := group[0].Host
		switch {
		case whole[h.Resource]:
		case len(group) == len(h.Agents):
			plan.Hosts = append(plan.Hosts, h)
		default:
			plan.Agents = append(plan.Agents, group...)
		}
	}
	return plan
}

// Targets is what names stand for.
type Targets struct {
	Rows    []Row        // agents
	Hosts   []agent.Host // hosts that were named themselves
	Missing []error      // for each name that was passed over
	Unsure  []error      // likewise, for what may still come
}

// FindTargets finds agents and, with a leading @ or a host id, hosts. With missingOK
// unknown names are passed over, so that a script may repeat itself.
func (f *Fleet) FindTargets(ctx context.Context, names []string, missingOK bool) (Targets, error) {
	listing, err := f.List(ctx, nil, false)
	if err != nil {
		return Targets{}, err
	}
	var out Targets
	for _, name := range names {
		if isHost(name) {
			a, err := agent.ParseHostAddress(name)
			if err != nil {
				return Targets{}, err
			}
			h, err := findHost(listing, a.Host, a.Provider)
			if err != nil {
				return Targets{}, err
			}
			if h != nil {
				out.Hosts = append(out.Hosts, *h)
				continue
			}
			if err := out.pass(f.unanswered(listing, a), notFound(listing, a), missingOK); err != nil {
				return Targets{}, err
			}
			continue
		}
		a, err := agent.ParseAddress(name)
		if err != nil {
			return Targets{}, err
		}
		row, err := pick(listing, a)
		if err == nil {
			out.Rows = append(out.Rows, row)
			continue
		}
		if err := out.pass(f.unanswered(listing, a), err, missingOK); err != nil {
			return Targets{}, err
		}
	}
	return out, nil
}

// pass notes a name that stands for nothing, or returns why that is an error. unsure is that
// it may still do so.
func (t *Targets) pass(unsure, missing error, missingOK bool) error {
	switch {
	case agent.KindOf(missing) != agent.KindNotFound:
		return missing
	case unsure != nil && missingOK:
		t.Unsure = append(t.Unsure, unsure)
	case unsure != nil:
		return unsure
	case !missingOK:
		return missing
	default:
		t.Missing = append(t.Missing, missing)
	}
	return nil
}

func isHost(name string) bool {
	if name != "" && name[0] == '@' {
		return true
	}
	_, err := agent.ParseHostID(name)
	return err == nil
}

// DestroyHost deletes a machine with all that belongs to it, through the cloud's API
// alone, and forgets what this machine keeps of it. An error that is harmless (see
// agent.Harmless) tells of a host that is gone all the same.
func (f *Fleet) DestroyHost(ctx context.Context, h agent.Host, progress agent.Progress) error {
	inst, err := f.machinesOf(h)
	if err != nil {
		return err
	}
	ctx = agent.WithProgress(ctx, progress)
	progress("host " + h.Name)
	if err := unchanged(ctx, inst, h); err != nil {
		return err
	}
	if err := inst.Destroy(ctx, h, progress); err != nil {
		if ctx.Err() != nil {
			return agent.Errorf(agent.KindCanceled, "interrupted; Azure may go on deleting host %q", h.Name).
				WithHint("mngr destroy --force @%s # ends it; mngr list shows whether it is still there", h.Name)
		}
		err = fmt.Errorf("destroy host %q: %w", h.Name, err)
		if _, gone := inst.Get(ctx, h.Resource); agent.KindOf(gone) != agent.KindNotFound {
			return err
		}
		return errors.Join(err, f.forget(h.ID)) // what is left of it nobody can log in to
	}
	return f.forget(h.ID)
}

// forget removes what this machine keeps of a host.
func (f *Fleet) forget(id agent.HostID) error {
	return errors.Join(f.Guests.Forget(id), f.Pending.Remove(id), f.Spots.Remove(id))
}

// unchanged refuses to destroy a host that got another agent since the plan was made.
func unchanged(ctx context.Context, inst Instance, h agent.Host) error {
	fresh, err := inst.Get(ctx, h.Resource)
	if agent.KindOf(err) == agent.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	records.DecodeHost(&fresh)
	for _, a := range fresh.Agents {
		if !slices.ContainsFunc(h.Agents, func(b agent.Record) bool { return a.ID == b.ID }) {
			return agent.Errorf(agent.KindRefused, "host %q got another agent meanwhile: %s; nothing was changed", h.Name, a.Name).
				WithHint("mngr list # then decide again")
		}
	}
	return nil
}

// DestroyAgent removes one agent from a host that keeps others.
func (f *Fleet) DestroyAgent(ctx context.Context, r Row, progress agent.Progress) error {
	if r.Host.State != agent.HostRunning {
		return agent.Errorf(agent.KindConflict, "host %q is %s and has other agents: %q alone cannot be removed", r.Host.Name, r.Host.State, r.Agent.Name).
			WithHint("mngr start %s # then again; or destroy them all: mngr destroy @%s", r.Agent.Name, r.Host.Name)
	}
	ctx = agent.WithProgress(ctx, progress)
	g, err := f.enter(ctx, r.Host)
	if err != nil {
		return (&agent.Error{Kind: agent.KindOf(err), Cause: err.Error(), Err: err}).
			WithHint("mngr destroy @%s # removes the whole host, without SSH", r.Host.Name)
	}
	defer g.Close()
	progress("removing agent " + r.Agent.Name)
	ref := &ctl.AgentRef{ID: string(r.Agent.ID)}
	if _, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpAgentRemove, Ref: ref}, progress); err != nil {
		return orElse(fmt.Errorf("remove agent %q: %w", r.Agent.Name, err), "mngr destroy %s@%s # again; mngr stop --stop-host @%[2]s ends its host without SSH", r.Agent.Name, r.Host.Name)
	}
	progress("removing its tags")
	_, err = f.rewrite(ctx, r.Host, progress, func(fresh agent.Host) (map[string]string, []string, error) {
		return nil, records.AgentTagNames(fresh.Tags, r.Agent.ID), nil
	})
	return err
}
