package fleet

import (
	"context"
	"encoding/json"
	"slices"
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
		out, err := f.Start(t.Context(), []Row{{Agent: h.Agents[0], Host: h}}, StartOptions{}, func(string) {})
		if agent.KindOf(err) != c.kind || azure.started != c.started || out.Booted {
			t.Errorf("limit %v: started %d times, %v, booted %v", most, azure.started, err, out.Booted)
		}
	}
}

// vague is a provider that knows some prices.
type vague struct {
	atAzure
	rate agent.Rate
}

func (v *vague) Rates(_ context.Context, hosts []agent.Host) []agent.Rate {
	return slices.Repeat([]agent.Rate{v.rate}, len(hosts))
}

// What is known decides where it suffices; else the refusal names what is missing.
func TestLimitWhereAPriceIsMissing(t *testing.T) {
	half := agent.Rate{Compute: new(0.05), Address: new(0.005)}
	whole := half
	whole.Disk = new(0.003)
	for name, c := range map[string]struct {
		rate    agent.Rate
		most    float64
		billing agent.Billing
		want    string
	}{
		"enough":                {whole, 0.2, agent.BillingCompute, ""},
		"too much":              {whole, 0.1, agent.BillingCompute, "max_hourly_cost is $0.1, and with host \"new\" the hosts of provider p would cost about $0.1160 an hour (about $0.0580 now)"},
		"the known is too much": {half, 0.1, agent.BillingCompute, "max_hourly_cost is $0.1, and with host \"new\" the hosts of provider p would cost at least $0.1100 an hour (at least $0.0550 now)"},
		"the disk":              {half, 10, agent.BillingCompute, "max_hourly_cost is $10, and what host \"old\" costs (s in r) is not known: there is no price of its disk"},
		"whether it is billed":  {whole, 10, agent.BillingUnknown, "max_hourly_cost is $10, and what host \"old\" costs (s in r) is not known: there is no price of what it is billed for at present"},
	} {
		inst := Instance{Machines: &vague{rate: c.rate}}
		inst.Defaults.MaxHourlyCost = c.most
		old, added := host("old", agent.HostRunning), host("new", agent.HostRunning)
		old.Billing, added.Billing, old.Size, old.Region = c.billing, agent.BillingCompute, "s", "r"
		got := ""
		if err := withinCost(t.Context(), inst, []agent.Host{old}, added, "host"); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// The address of a host that is being made counts before it is seen.
func TestLimitCountsAddressesToCome(t *testing.T) {
	h := host("h", agent.HostCreating)
	f := &Fleet{Now: time.Now}
	hosts, err := f.counted(t.Context(), Instance{Machines: &dear{writes: writes{atAzure: atAzure{now: h}}}})
	if err != nil || len(hosts) != 1 || hosts[0].Addresses == nil || *hosts[0].Addresses != 1 {
		t.Errorf("%+v, %v", hosts, err)
	}
}
