package fleet

import (
	"context"
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
