package fleet

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"mngr/internal/agent"
)

// dear is a provider whose hosts cost a dollar an hour while they run.
type dear struct {
	writes
	started int
}

func (d *dear) List(context.Context) ([]agent.Host, error) { return []agent.Host{d.now}, nil }

func (d *dear) Rates(_ context.Context, hosts []agent.Host) []agent.Rate {
	rates := make([]agent.Rate, len(hosts))
	for n := range rates {
		rates[n] = agent.Rate{Compute: new(1.0), Disk: new(0.0), Address: new(0.0)}
	}
	return rates
}

func (d *dear) Start(context.Context, string, bool, agent.Progress) error {
	d.started++
	return agent.Errorf(agent.KindNoCapacity, "no room")
}

type remembers struct{ locks }

func (remembers) Load(agent.HostID) ([]byte, error) { return json.Marshal(CreateOptions{Name: "a"}) }

// A host that stopped before it was finished costs like any other once it is started.
func TestLimitHoldsForUnfinishedHosts(t *testing.T) {
	h := host("h", agent.HostStopped, "a")
	h.Via, h.Billing, h.HostKeys = "p", agent.BillingStorage, agent.HostKeys{VM: "AAAA"}
	h.Tags = map[string]string{"mngr-host-keys": "vm=AAAA"}
	for most, c := range map[float64]struct {
		kind    agent.Kind
		started int
	}{0.5: {agent.KindRefused, 0}, 2: {agent.KindNoCapacity, 1}} {
		azure := &dear{writes: writes{atAzure: atAzure{now: h}}}
		inst := Instance{Machines: azure}
		inst.Defaults.MaxHourlyCost = most
		f := &Fleet{Now: time.Now, Instances: []Instance{inst}, Pending: remembers{locks{free: true}}}
		_, err := f.Start(t.Context(), []Row{{Agent: h.Agents[0], Host: h}}, StartOptions{}, func(string) {})
		if agent.KindOf(err) != c.kind || azure.started != c.started {
			t.Errorf("limit %v: started %d times, %v", most, azure.started, err)
		}
	}
}
