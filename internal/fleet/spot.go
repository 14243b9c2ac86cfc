package fleet

import (
	"slices"
	"strings"
	"time"

	"mngr/internal/agent"
)

// SpotHost is what this machine remembers of a Spot host: Azure forgets one that it evicts.
type SpotHost struct {
	ID        agent.HostID
	Name      string
	Provider  string // by its tag
	Via       string // the instance that saw it
	Resource  string
	Region    string
	Size      string
	CreatedAt time.Time
	Agents    []agent.Record
	LastSeen  time.Time
}

// Spots remembers Spot hosts, on this machine only.
type Spots interface {
	Save(h SpotHost) error
	Load() ([]SpotHost, error)
	Remove(id agent.HostID) error // absent is fine
}

const (
	// spotKept is how long a Spot host that has vanished is listed.
	spotKept = 7 * 24 * time.Hour
	// spotFresh is how long a record of a host that has not changed is good enough.
	spotFresh = time.Hour
)

// vanished says of a Spot host that is not at Azure any more what is known: a colleague's
// destroy looks like an eviction.
const vanished = "gone: evicted, or deleted elsewhere; its disk went with it"

// remember keeps what a provider instance shows of its Spot hosts, and returns those that
// it showed here within the last week and shows no more. What cannot be kept is no reason
// to fail: it is a convenience.
func (f *Fleet) remember(instance string, shown []agent.Host) []agent.Host {
	known, err := f.Spots.Load()
	if err != nil {
		return nil
	}
	for _, h := range shown {
		if h.Spot && h.State != agent.HostDeleting {
			f.rememberOne(instance, h, known)
		}
	}
	var gone []agent.Host
	for _, k := range known {
		if k.Via != instance || slices.ContainsFunc(shown, func(h agent.Host) bool { return h.ID == k.ID }) {
			continue
		}
		if !f.listedStill(k) {
			_ = f.Spots.Remove(k.ID)
			continue
		}
		gone = append(gone, agent.Host{
			ID: k.ID, Name: k.Name, Provider: k.Provider, Via: instance, Resource: k.Resource, Region: k.Region, Size: k.Size,
			CreatedAt: k.CreatedAt, Agents: k.Agents, Spot: true,
			State: agent.HostEvicted, Billing: agent.BillingNone, Failure: vanished,
		})
	}
	return gone
}

// listedStill tells whether a Spot host would be listed although Azure does not know it.
func (f *Fleet) listedStill(s SpotHost) bool { return f.Now().Sub(s.LastSeen) <= spotKept }

func (f *Fleet) rememberOne(instance string, h agent.Host, known []SpotHost) {
	now := SpotHost{
		ID: h.ID, Name: h.Name, Provider: h.Provider, Via: instance, Resource: h.Resource, Region: h.Region, Size: h.Size,
		CreatedAt: h.CreatedAt, Agents: h.Agents, LastSeen: f.Now().UTC(),
	}
	for _, k := range known {
		if k.ID == h.ID && now.LastSeen.Sub(k.LastSeen) < spotFresh && now.same(k) {
			return
		}
	}
	_ = f.Spots.Save(now)
}

func (s SpotHost) same(other SpotHost) bool {
	return s.Name == other.Name && s.Via == other.Via && strings.EqualFold(s.Resource, other.Resource) &&
		slices.EqualFunc(s.Agents, other.Agents, func(a, b agent.Record) bool { return a.ID == b.ID && a.Name == b.Name })
}

// present leaves out what this machine alone remembers: its name is free.
func present(l Listing) Listing {
	l.Hosts = slices.DeleteFunc(slices.Clone(l.Hosts), agent.Host.Gone)
	l.Rows = slices.DeleteFunc(slices.Clone(l.Rows), func(r Row) bool { return r.Host.Gone() })
	return l
}

// forgetGone ends the memory of hosts whose name a new one has got.
func (f *Fleet) forgetGone(l Listing, name string) {
	for _, h := range l.Hosts {
		if h.Gone() && h.Name == name {
			_ = f.Spots.Remove(h.ID)
		}
	}
}

// startGone explains why a host that is gone cannot be started.
func startGone(h agent.Host, name string) error {
	return agent.Errorf(agent.KindNotFound, "Spot host %q is gone: Azure evicted it, or somebody deleted it; its work went with it", h.Name).
		WithHint("mngr destroy %s # forgets this one; mngr create %[1]s makes a new one", name)
}
