package fleet

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"mngr/internal/agent"
)

// atAzure is a provider that has one machine; what is not asked for here has no answer.
type atAzure struct {
	Machines
	now       agent.Host
	destroyed int
}

func (*atAzure) Name() string                                      { return "p" }
func (a *atAzure) Get(context.Context, string) (agent.Host, error) { return a.now, nil }
func (a *atAzure) Destroy(context.Context, agent.Host, agent.Progress) error {
	a.destroyed++
	return nil
}

type noGuests struct{ Guests }

func (noGuests) Forget(agent.HostID) error { return nil }

type noSpots struct{ Spots }

func (noSpots) Remove(agent.HostID) error { return nil }

type locks struct {
	Pending
	free bool
}

func (l locks) Lock(agent.HostID) (func(), bool, error) { return func() {}, l.free, nil }
func (locks) Remove(agent.HostID) error                 { return nil }
func (locks) Tidy() error                               { return nil }

// parting is a provider that removes parts, if by an error.
type parting struct {
	Machines
	errs map[string]error // by name
	mu   sync.Mutex
	gone []string
}

func (*parting) Name() string { return "p" }
func (p *parting) RemoveLeftover(_ context.Context, l agent.Leftover, _ agent.Progress) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.errs[l.Name] == nil {
		p.gone = append(p.gone, l.Name)
	}
	return p.errs[l.Name]
}

// tidied counts how often locks were tidied.
type tidied struct {
	Pending
	times int
}

func (t *tidied) Tidy() error { t.times++; return nil }

// What is kept is not touched, what fails without harm is kept, and anything else that fails
// is a failure; the rest goes all the same.
func TestCollectRemovesWhatIsNotKept(t *testing.T) {
	harmless := &agent.Error{Kind: agent.KindDenied, Cause: "the right is missing", Harmless: true}
	p, locks := &parting{errs: map[string]error{"role": harmless, "stuck": errors.New("locked")}}, &tidied{}
	f := &Fleet{Instances: []Instance{{Machines: p}}, Pending: locks}
	part := func(kind agent.LeftoverKind, name, kept string) Garbage {
		return Garbage{Provider: "p", Leftover: agent.Leftover{Kind: kind, Name: name, Kept: kept}}
	}
	list := GarbageList{Items: []Garbage{
		part(agent.LeftoverDisk, "loose", ""), part(agent.LeftoverDisk, "young", "it is too young"), part(agent.LeftoverRole, "role", ""),
	}}
	if err := f.Collect(t.Context(), &list, func(string) {}); err != nil || !slices.Equal(p.gone, []string{"loose"}) || locks.times != 1 {
		t.Errorf("removed %q, %v; tidied %d times", p.gone, err, locks.times)
	}
	for n, want := range []struct {
		removed bool
		kept    string
	}{{true, ""}, {false, "it is too young"}, {false, "the right is missing"}} {
		if g := list.Items[n]; g.Removed != want.removed || g.Kept != want.kept || g.Err != nil || (g.Stays != nil) != (g.Kind == agent.LeftoverRole) {
			t.Errorf("%s: %+v", g.Name, g)
		}
	}
	list = GarbageList{Items: []Garbage{part(agent.LeftoverDisk, "stuck", ""), part(agent.LeftoverDisk, "another", "")}}
	if err := f.Collect(t.Context(), &list, func(string) {}); err == nil || list.Items[0].Err == nil || !list.Items[1].Removed {
		t.Errorf("%+v, %v", list.Items, err)
	}
}

// Between gc's look and its turn a host may have been finished, or somebody may be at it.
func TestGCLooksAgainBeforeItDestroys(t *testing.T) {
	unfinished := host("a", agent.HostFailed)
	unfinished.Via, unfinished.Tags = "p", map[string]string{"mngr-host-keys": "vm=AAAA"}
	finished := unfinished
	finished.State, finished.Tags = agent.HostRunning, map[string]string{"mngr-host-keys": "vm=AAAA container=AAAA"}
	for name, c := range map[string]struct {
		now  agent.Host
		free bool
		want int
	}{
		"unfinished still":   {unfinished, true, 1},
		"finished meanwhile": {finished, true, 0},
		"somebody is at it":  {unfinished, false, 0},
	} {
		azure := &atAzure{now: c.now}
		f := &Fleet{Now: time.Now, Instances: []Instance{{Machines: azure}}, Guests: noGuests{}, Spots: noSpots{}, Pending: locks{free: c.free}}
		list := GarbageList{Items: []Garbage{{Provider: "p", host: unfinished, Leftover: agent.Leftover{Kind: agent.LeftoverMachine}}}}
		err := f.Collect(t.Context(), &list, func(string) {})
		if azure.destroyed != c.want || (err == nil) != (c.want == 1) || c.want == 0 && agent.KindOf(err) != agent.KindConflict {
			t.Errorf("%s: destroyed %d times, %v", name, azure.destroyed, err)
		}
	}
}
