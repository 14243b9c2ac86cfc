package fleet

import (
	"context"
	"slices"
	"strings"

	"mngr/internal/agent"
)

// notes are what this machine keeps of hosts.
type notes struct {
	known   []KnownHost
	pending []agent.HostID
	spots   []SpotHost
}

func (f *Fleet) notes() (n notes, err error) {
	if n.known, err = f.Guests.Known(); err != nil {
		return n, err
	}
	if n.pending, err = f.Pending.Known(); err != nil {
		return n, err
	}
	n.spots, err = f.Spots.Load()
	return n, err
}

// resting are the hosts of which this machine keeps something and on which no process of
// it works.
func (f *Fleet) resting() (map[agent.HostID]bool, error) {
	here, err := f.notes()
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(here.pending)
	for _, k := range here.known {
		ids = append(ids, k.ID)
	}
	for _, s := range here.spots {
		ids = append(ids, s.ID)
	}
	resting := map[agent.HostID]bool{}
	for _, id := range ids {
		resting[id] = !f.inTheMaking(id)
	}
	return resting, nil
}

// localGarbage finds what this machine keeps of hosts that are gone. Gone is what the
// provider that had it says is gone; where nobody noted which one that was, all of them. A
// Spot host that has vanished stays as long as it is listed.
func (f *Fleet) localGarbage(ctx context.Context, looks []look, resting map[agent.HostID]bool) ([]Garbage, error) {
	here, err := f.notes()
	if err != nil {
		return nil, err
	}
	known := here.known
	var out []Garbage
	for _, id := range here.pending {
		if f.finishedOne(id, looks) && !f.inTheMaking(id) {
			out = append(out, Garbage{host: agent.Host{ID: id}, finished: true, Leftover: agent.Leftover{Kind: agent.LeftoverLocal, Name: string(id),
				Resource: "pending/" + string(id), Why: "they tell how to finish its host, which is finished"}})
		}
		if !slices.ContainsFunc(known, func(k KnownHost) bool { return k.ID == id }) {
			known = append(known, KnownHost{ID: id})
		}
	}
	listed := func(id agent.HostID) bool {
		return slices.ContainsFunc(here.spots, func(s SpotHost) bool { return s.ID == id && f.listedStill(s) })
	}
	for _, s := range here.spots {
		if !slices.ContainsFunc(known, func(k KnownHost) bool { return k.ID == s.ID }) {
			known = append(known, KnownHost{ID: s.ID, Resource: s.Resource})
		}
	}
	for _, k := range known {
		if _, may := f.mayAppear(k.ID); may || listed(k.ID) {
			continue
		}
		gone, kept := f.gone(ctx, k, looks)
		if !gone || !resting[k.ID] || f.inTheMaking(k.ID) {
			continue
		}
		why := "its host is gone"
		if kept != "" {
			why = "its host is not to be seen"
		}
		out = append(out, Garbage{host: agent.Host{ID: k.ID}, Leftover: agent.Leftover{Kind: agent.LeftoverLocal, Name: string(k.ID),
			Resource: k.Path, Why: why, Kept: kept}})
	}
	return out, nil
}

// finishedOne tells whether a provider shows a host, and as one that is finished.
func (f *Fleet) finishedOne(id agent.HostID, looks []look) bool {
	for _, l := range looks {
		if slices.ContainsFunc(l.hosts, func(h agent.Host) bool { return h.ID == id && !unfinished(h) }) {
			return true
		}
	}
	return false
}

// gone tells whether a host is not to be seen; kept says why that proves nothing.
func (f *Fleet) gone(ctx context.Context, k KnownHost, looks []look) (gone bool, kept string) {
	answered := map[string]bool{}
	for _, l := range looks {
		if slices.ContainsFunc(l.hosts, func(h agent.Host) bool { return h.ID == k.ID }) {
			return false, ""
		}
		answered[l.instance.Name()] = l.err == nil
	}
	if k.Resource != "" {
		for _, l := range looks {
			if l.err != nil {
				continue
			}
			if _, err := l.instance.Get(ctx, k.Resource); err == nil || agent.KindOf(err) == agent.KindNotFound {
				return agent.KindOf(err) == agent.KindNotFound, ""
			}
		}
		return true, "no provider that was asked could see its machine"
	}
	if o, err := f.pendingOptions(agent.Host{ID: k.ID}); err == nil && answered[o.Provider] {
		return true, ""
	}
	var silent []string
	for _, i := range f.Instances {
		switch ok, asked := answered[i.Name()]; {
		case !asked:
			silent = append(silent, i.Name()+", which was not asked")
		case !ok:
			silent = append(silent, i.Name()+", which could not be asked")
		}
	}
	if len(silent) > 0 {
		return true, "it may be at " + strings.Join(silent, ", or at ")
	}
	return true, ""
}
