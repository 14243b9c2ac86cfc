package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mngr/internal/agent"
)

// Find returns the rows of the named agents, each exactly once. Names come as addresses
// or ids; an unknown or an ambiguous one is an error.
func (f *Fleet) Find(ctx context.Context, names []string) ([]Row, error) {
	var addresses []agent.Address
	for _, n := range names {
		a, err := agent.ParseAddress(n)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, a)
	}
	listing, err := f.List(ctx, nil, false)
	if err != nil {
		return nil, err
	}
	var found []Row
	seen := map[agent.ID]bool{}
	for _, a := range addresses {
		row, err := pick(listing, a)
		if err != nil {
			return nil, err
		}
		if !seen[row.Agent.ID] {
			seen[row.Agent.ID] = true
			found = append(found, row)
		}
	}
	return found, nil
}

func pick(l Listing, a agent.Address) (Row, error) {
	var matches []Row
	for _, r := range l.Rows {
		if (r.Agent.Name == a.Agent || string(r.Agent.ID) == a.Agent) &&
			(a.Host == "" || r.Host.Name == a.Host || string(r.Host.ID) == a.Host) &&
			(a.Provider == "" || r.Host.Provider == a.Provider) {
			matches = append(matches, r)
		}
	}
	switch {
	case len(matches) > 0 && copied(l, matches[0].Host) != nil:
		return Row{}, copied(l, matches[0].Host)
	case len(matches) == 1:
		return matches[0], nil
	case len(matches) > 1:
		return Row{}, agent.Errorf(agent.KindUsage, "%q names several agents: %s", a, joinRows(matches)).
			WithHint("use one of these addresses")
	}
	return Row{}, notFound(l, a)
}

// copied refuses a host whose id two machines carry: what belongs to which cannot be told.
func copied(l Listing, h agent.Host) error {
	for _, other := range l.Hosts {
		if h.ID != "" && other.ID == h.ID && !strings.EqualFold(other.Resource, h.Resource) {
			return agent.Errorf(agent.KindRefused, "two machines carry the host id %s: %s and %s; nothing was changed", h.ID, h.Resource, other.Resource).
				WithHint("az vm delete --ids ID # removes the copy, whichever it is")
		}
	}
	return nil
}

// notFound blames a provider that could not be asked before it blames the user.
func notFound(l Listing, a agent.Address) error {
	for _, e := range l.Errors {
		if e.Host == "" && (a.Provider == "" || a.Provider == e.Provider) {
			return &agent.Error{
				Kind:  agent.KindOf(e.Err),
				Cause: fmt.Sprintf("no agent %q found, and provider %q could not be asked: %v", a, e.Provider, e.Err),
				Hint:  agent.HintOf(e.Err),
				Err:   e.Err,
			}
		}
	}
	return agent.Errorf(agent.KindNotFound, "no agent %q", a).WithHint("mngr list")
}

// findHost returns the one host of that name or id, or nil when there is none.
func findHost(l Listing, name, provider string) (*agent.Host, error) {
	var found []*agent.Host
	var names, ids []string
	for n := range l.Hosts {
		h := &l.Hosts[n]
		if (h.Name == name || string(h.ID) == name) && (provider == "" || h.Provider == provider) {
			found = append(found, h)
			names, ids = append(names, "@"+h.Name+"."+h.Provider), append(ids, "@"+string(h.ID))
		}
	}
	switch {
	case len(found) == 0:
		return nil, nil
	case copied(l, *found[0]) != nil:
		return nil, copied(l, *found[0])
	case len(found) == 1:
		return found[0], nil
	}
	return nil, agent.Errorf(agent.KindUsage, "%q names several hosts: %s", name, join(apart(names, ids))).
		WithHint("use one of these addresses, or a host id")
}

// ProviderOf returns the instance that sees the host of a name; "" when none does.
func (f *Fleet) ProviderOf(ctx context.Context, name string) (string, error) {
	listing, err := f.List(ctx, nil, false)
	if err != nil {
		return "", err
	}
	h, err := findHost(listing, name, "")
	if h == nil || err != nil {
		return "", err
	}
	return h.Via, nil
}

func rowAddress(r Row) string {
	return agent.Address{Agent: r.Agent.Name, Host: r.Host.Name, Provider: r.Host.Provider}.String()
}

func joinRows(rows []Row) string {
	var names, ids []string
	for _, r := range rows {
		names, ids = append(names, rowAddress(r)), append(ids, agent.Address{Agent: r.Agent.Name, Host: string(r.Host.ID)}.String())
	}
	return join(apart(names, ids))
}

// apart are names, or ids where two names are the same.
func apart(names, ids []string) []string {
	if len(slices.Compact(slices.Sorted(slices.Values(names)))) < len(names) {
		return ids
	}
	return names
}

func join(names []string) string { return strings.Join(names, ", ") }

// ByHost groups rows by their hosts, in the order of the rows.
func ByHost(rows []Row) [][]Row {
	index := map[string]int{}
	var groups [][]Row
	for _, r := range rows {
		n, ok := index[r.Host.Resource]
		if !ok {
			n = len(groups)
			index[r.Host.Resource] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], r)
	}
	return groups
}

// machinesOf returns the instance that sees a host. Its tag may name another one, which
// may work in another subscription here.
func (f *Fleet) machinesOf(h agent.Host) (Instance, error) {
	for _, i := range f.Instances {
		if i.Name() == h.Via {
			return i, nil
		}
	}
	return Instance{}, agent.Errorf(agent.KindUsage, "host %q belongs to provider %q, which is not configured here", h.Name, h.Provider)
}
