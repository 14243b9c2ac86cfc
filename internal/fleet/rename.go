package fleet

import (
	"context"
	"fmt"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// Renamed is what became of an agent or of a host.
type Renamed struct {
	Agent   agent.Record // zero where a host was renamed
	Host    agent.Host   // as it was before
	From    string
	To      string
	Warning string
}

// Rename gives an agent, or with a leading @ or an id a host, another name. Only tags
// change, and inside a running host the agent's record and session: the machine keeps its
// name. A name that another one has, as far as can be seen, is refused.
func (f *Fleet) Rename(ctx context.Context, target, name string, dryRun bool, progress agent.Progress) (Renamed, error) {
	what := "agent"
	if isHost(target) {
		what = "host"
	}
	if err := agent.CheckNewName(what, name); err != nil {
		return Renamed{}, err
	}
	ctx = agent.WithProgress(ctx, progress)
	progress("looking at what exists")
	listing, err := f.List(ctx, nil, false)
	if err != nil {
		return Renamed{}, err
	}
	if what == "host" {
		return f.renameHost(ctx, listing, target, name, dryRun, progress)
	}
	a, err := agent.ParseAddress(target)
	if err != nil {
		return Renamed{}, err
	}
	row, err := pick(listing, a)
	if err != nil {
		return Renamed{}, err
	}
	out := Renamed{Agent: row.Agent, Host: row.Host, From: row.Agent.Name, To: name}
	for _, other := range listing.Rows {
		if other.Agent.Name == name && (other.Agent.ID != row.Agent.ID || other.Host.Resource != row.Host.Resource) {
			return out, agent.Errorf(agent.KindExists, "an agent %q exists: %s", name, rowAddress(other)).WithHint("choose another name")
		}
	}
	if dryRun {
		return out, finished(row.Host)
	}
	_, out.Warning, err = f.editAgents(ctx, row.Host, []agent.ID{row.Agent.ID}, func(r *agent.Record) { r.Name = name }, progress)
	return out, err
}

func (f *Fleet) renameHost(ctx context.Context, listing Listing, target, name string, dryRun bool, progress agent.Progress) (Renamed, error) {
	a, err := agent.ParseHostAddress(target)
	if err != nil {
		return Renamed{}, err
	}
	h, err := findHost(listing, a.Host, a.Provider)
	if err == nil && h == nil {
		err = notFound(listing, a)
	}
	if err != nil {
		return Renamed{}, err
	}
	out := Renamed{Host: *h, From: h.Name, To: name}
	if namesake(listing.Hosts, *h, name) >= 0 {
		return out, agent.Errorf(agent.KindExists, "a host %q exists on provider %q", name, h.Provider).WithHint("choose another name")
	}
	if dryRun || h.Name == name {
		return out, finished(*h)
	}
	if err := f.giveName(ctx, *h, "", name, progress); err != nil {
		return out, err
	}
	out.Warning, err = f.nameIsOurs(ctx, *h, name, progress)
	return out, err
}

// giveName writes a host's name, if it has the name was; "" for any.
func (f *Fleet) giveName(ctx context.Context, h agent.Host, was, name string, progress agent.Progress) error {
	_, err := f.rewrite(ctx, h, progress, func(now agent.Host) (map[string]string, []string, error) {
		if was != "" && now.Name != was {
			return nil, nil, nil
		}
		return map[string]string{records.HostName: records.HostNameValue(name)}, nil, nil
	})
	return err
}

// PhaseNameBack is the phase in which a rename takes itself back.
const PhaseNameBack = "undoing: giving the old name back"

func (f *Fleet) giveNameBack(ctx context.Context, h agent.Host, name string, progress agent.Progress) error {
	progress(PhaseNameBack)
	ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineUndo, "giving host "+h.Name+" its old name")
	defer done(nil)
	if err := f.giveName(ctx, h, name, h.Name, progress); err != nil {
		return (&agent.Error{Kind: agent.KindRemains, Err: err,
			Cause: fmt.Sprintf("somebody else called another host %q at the same moment, and this one could not get its old name back: %v", name, err)}).
			WithHint("mngr rename @%s %s", h.ID, h.Name)
	}
	return agent.Errorf(agent.KindExists, "somebody else called another host %q at the same moment; this one is %q again", name, h.Name).
		WithHint("choose another name")
}
