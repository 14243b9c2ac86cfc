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
	for _, other := range listing.Hosts {
		if other.Name == name && other.Provider == h.Provider && other.Resource != h.Resource {
			return out, agent.Errorf(agent.KindExists, "a host %q exists on provider %q", name, h.Provider).WithHint("choose another name")
		}
	}
	if dryRun || h.Name == name {
		return out, finished(*h)
	}
	inst, fresh, err := f.writable(ctx, *h, progress)
	if err != nil {
		return out, err
	}
	set := map[string]string{records.HostName: records.HostNameValue(name)}
	if err := records.Fits(fresh.Tags, set); err != nil {
		return out, err
	}
	progress("recording it in the tags")
	if err := inst.MergeTags(ctx, h.Resource, set, nil); err != nil {
		return out, fmt.Errorf("rename host %q: %w", h.Name, err)
	}
	return out, nil
}
