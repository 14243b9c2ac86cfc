package fleet

import (
	"context"
	"fmt"
	"slices"

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

// looksForAName is how often the older of two hosts looks whether the other one, which got
// its name at the same moment, gives it back.
const looksForAName = 4

// nameIsOurs looks again once a host h has a new name: somebody else may have given it to
// another one at the same moment. Of two writers the second sees the first for sure. The
// younger host that sees another one gives its name back; the older one waits for that a
// while, since the other may have looked too early to see it, and then does so itself.
func (f *Fleet) nameIsOurs(ctx context.Context, h agent.Host, name string, progress agent.Progress) (warning string, err error) {
	inst, err := f.machinesOf(h)
	if err != nil {
		return "", err
	}
	progress("looking whether the name is the only one")
	for n := 1; ; n++ {
		hosts, err := f.named(ctx, inst)
		if err != nil {
			return fmt.Sprintf("host %q is called %q now; whether another one got that name at the same moment is not known: %v", h.Name, name, err), nil
		}
		at := namesake(hosts, h, name)
		if at < 0 {
			return "", nil
		}
		if n < looksForAName && byAge(h, hosts[at]) < 0 && pause(ctx) == nil {
			continue
		}
		return "", f.giveNameBack(ctx, h, name, progress)
	}
}

// namesake finds another host of the same provider that has a name; -1 for none.
func namesake(hosts []agent.Host, h agent.Host, name string) int {
	return slices.IndexFunc(hosts, func(o agent.Host) bool {
		return o.Name == name && o.Provider == h.Provider && !sameMachine(o, h)
	})
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
