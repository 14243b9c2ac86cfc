package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/records"
)

// editAgents rewrites the records of some agents of one host: first the tags, in one
// request, then, where the host runs, its guest's own records. It works on the tags as they
// are now, not as they were when the host was listed.
func (f *Fleet) editAgents(ctx context.Context, h agent.Host, ids []agent.ID, edit func(*agent.Record), progress agent.Progress) (after map[agent.ID]agent.Record, warning string, err error) {
	ctx = agent.WithProgress(ctx, progress)
	fresh, err := f.rewrite(ctx, h, progress, func(fresh agent.Host) (set map[string]string, remove []string, err error) {
		known := byID(fresh.Agents)
		set, after = map[string]string{}, map[agent.ID]agent.Record{}
		for _, id := range ids {
			record, ok := known[id]
			if !ok {
				return nil, nil, agent.Errorf(agent.KindNotFound, "agent %s is gone from host %q", id, h.Name).WithHint("mngr list")
			}
			edit(&record)
			after[id] = record
			if same(record, known[id]) {
				continue
			}
			write, drop, err := records.ChangeAgent(fresh.Tags, record)
			if err != nil {
				return nil, nil, err
			}
			maps.Copy(set, write)
			remove = append(remove, drop...)
		}
		return set, remove, nil
	})
	if err != nil {
		return nil, "", err
	}
	return after, f.tellGuest(ctx, fresh, after, progress), nil
}

func same(a, b agent.Record) bool {
	return a.Name == b.Name && a.Type == b.Type && maps.Equal(a.Labels, b.Labels)
}

// writable returns a host as it is now, once its tags may be written: a write while an
// operation is under way can preempt it.
func (f *Fleet) writable(ctx context.Context, h agent.Host, progress agent.Progress) (Instance, agent.Host, error) {
	inst, err := f.machinesOf(h)
	if err != nil {
		return inst, h, err
	}
	if err := finished(h); err != nil {
		return inst, h, err
	}
	waiting, done := agent.Within(ctx, agent.DeadlineOperation, "waiting for Azure to finish what it does with host "+h.Name)
	defer done(nil)
	for told := false; ; told = true {
		fresh, err := f.look(waiting, inst, h)
		if err != nil {
			return inst, h, err
		}
		switch fresh.State {
		case agent.HostDeleting:
			return inst, h, agent.Errorf(agent.KindConflict, "host %q is being deleted", h.Name)
		case agent.HostCreating, agent.HostStarting, agent.HostStopping:
		default:
			return inst, fresh, nil
		}
		if !told {
			progress("waiting for Azure to finish what it does with host " + h.Name)
		}
		if pause(waiting) != nil {
			if ctx.Err() != nil {
				return inst, h, ctx.Err()
			}
			return inst, h, agent.Errorf(agent.KindTimeout, "host %q is still %s after %s", h.Name, fresh.State, agent.DeadlineOperation)
		}
	}
}

// tellGuest brings the records inside a running host in line. The tags are written by
// then: what fails here is made up for by the next start or connect.
func (f *Fleet) tellGuest(ctx context.Context, h agent.Host, want map[agent.ID]agent.Record, progress agent.Progress) string {
	if h.State != agent.HostRunning || h.HostKeys.Container == "" {
		return ""
	}
	phase := "telling host " + h.Name
	progress(phase)
	ctx, done := agent.Within(ctx, agent.DeadlineGuestReply, phase)
	g, err := f.Guests.Dial(ctx, h, Container)
	if err == nil {
		defer g.Close()
		_, err = agree(ctx, g, want)
	}
	done(&err)
	switch {
	case errors.Is(err, ErrNoAccess):
		return fmt.Sprintf("host %q does not know this machine's key: the tags are changed, and inside it changes when a machine that it knows starts or connects to the agent", h.Name)
	case err != nil:
		return fmt.Sprintf("the tags are changed, but not inside host %q, where the next start or connect does it: %v", h.Name, err)
	}
	return ""
}

// agree makes a guest's own records say what the tags say, and returns the names that its
// agents have afterwards.
func agree(ctx context.Context, g Guest, want map[agent.ID]agent.Record) (names map[agent.ID]string, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineGuestReply, "comparing names and labels")
	defer done(&err)
	answer, err := call(ctx, g, ctl.Request{Op: ctl.OpStatus}, nil)
	if err != nil {
		return nil, err
	}
	if answer.Container == nil {
		return nil, errors.New("mngrd sent an empty answer")
	}
	names = map[agent.ID]string{}
	var failures []error
	for _, a := range answer.Container.Agents {
		id := agent.ID(a.ID)
		r, ok := want[id]
		if agent.CheckName("agent", a.Name) == nil {
			names[id] = a.Name
		}
		if !ok || r.Type == records.Unreadable || r.Name == a.Name && maps.Equal(r.Labels, a.Labels) {
			continue
		}
		edit := &ctl.AgentEdit{ID: a.ID, Name: r.Name, Labels: r.Labels}
		if _, err := call(ctx, g, ctl.Request{Op: ctl.OpAgentEdit, Edit: edit}, nil); err != nil {
			failures = append(failures, err)
			continue
		}
		names[id] = r.Name
	}
	return names, errors.Join(failures...)
}

func byID(all []agent.Record) map[agent.ID]agent.Record {
	found := map[agent.ID]agent.Record{}
	for _, r := range all {
		found[r.ID] = r
	}
	return found
}

// finished refuses a host whose creation has not come to its end.
func finished(h agent.Host) error {
	if !unfinished(h) {
		return nil
	}
	err := agent.Errorf(agent.KindConflict, "host %q is not finished", h.Name)
	if len(h.Agents) == 0 {
		return err.WithHint("mngr destroy @%s", h.Name)
	}
	return err.WithHint("mngr start %s # finishes it", h.Agents[0].Name)
}
