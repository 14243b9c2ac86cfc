package fleet

import (
	"context"
	"strings"
	"sync"
	"time"

	"mngr/internal/agent"
)

// Cost is what one host costs.
type Cost struct {
	Rate   agent.Rate
	Now    agent.USD // an hour, in its present state
	SoFar  agent.USD // about, since it was made
	Ran    time.Duration
	RanYet bool // Ran is known
}

// Costs are what hosts cost, by their Resource in lower case.
type Costs map[string]Cost

// Of is what a host costs; unknown where nobody has asked.
func (c Costs) Of(h agent.Host) Cost {
	cost, known := c[strings.ToLower(h.Resource)]
	if !known {
		return Cost{Now: agent.USD{Unknown: 1}, SoFar: agent.USD{Unknown: 1}}
	}
	return cost
}

// Costs tells what hosts cost now and have cost. It asks for prices, but waits for them a
// few seconds only, and does not fail.
func (f *Fleet) Costs(ctx context.Context, hosts []agent.Host) Costs {
	byInstance := map[string][]agent.Host{}
	for _, h := range hosts {
		byInstance[h.Via] = append(byInstance[h.Via], h)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	all, now := Costs{}, f.Now()
	for via, hosts := range byInstance {
		inst, err := f.instance(via)
		if err != nil {
			continue
		}
		wg.Go(func() {
			rates := inst.Rates(ctx, hosts)
			mu.Lock()
			defer mu.Unlock()
			for n, h := range hosts {
				c := Cost{Rate: rates[n], Now: rates[n].Now(h.Billing), SoFar: rates[n].SoFar(h, now)}
				c.Ran, c.RanYet = h.Ran(now)
				all[strings.ToLower(h.Resource)] = c
			}
		})
	}
	wg.Wait()
	return all
}

// priceMachines says of each about what it costs a month in its present state; nothing where
// that is not known.
func priceMachines(ctx context.Context, i Instance, machines []Garbage) {
	if len(machines) == 0 {
		return
	}
	var hosts []agent.Host
	for _, g := range machines {
		hosts = append(hosts, g.host)
	}
	for n, rate := range i.Rates(ctx, hosts) {
		if hour := rate.Now(hosts[n].Billing).Exact(); hour != nil {
			machines[n].USDPerMonth = new(*hour * agent.HoursPerMonth)
		}
	}
}
