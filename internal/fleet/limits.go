package fleet

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"mngr/internal/agent"
)

// limited tells whether an instance has limits that a new or another running host can pass.
func (i Instance) limited() bool { return i.Defaults.MaxHosts > 0 || i.Defaults.MaxHourlyCost > 0 }

// mayMake refuses, before anything is written, a host that would pass a limit of its
// instance beside those that exist.
func (f *Fleet) mayMake(ctx context.Context, inst Instance, spec agent.MachineSpec) error {
	if !inst.limited() {
		return nil
	}
	hosts, err := f.counted(ctx, inst)
	if err != nil {
		return err
	}
	return withinLimits(ctx, inst, hosts, inst.Planned(spec))
}

// mayStay is asked once a host has been accepted: somebody else may have made one at the same
// moment. Everybody counts the hosts in one order, the oldest first, so that of two that are
// one too many the same one gives way for both.
func (f *Fleet) mayStay(ctx context.Context, inst Instance, made agent.Host) error {
	if !inst.limited() {
		return nil
	}
	hosts, err := f.counted(ctx, inst)
	if err != nil {
		return fmt.Errorf("count the hosts again: %w", err)
	}
	slices.SortFunc(hosts, byAge)
	n := slices.IndexFunc(hosts, func(h agent.Host) bool { return sameMachine(h, made) })
	if n < 0 { // a list that lags behind knows of none that came later
		return withinLimits(ctx, inst, hosts, made)
	}
	return withinLimits(ctx, inst, hosts[:n], hosts[n])
}

// byAge is the order in which everybody counts hosts: the oldest first.
func byAge(a, b agent.Host) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(strings.ToLower(a.Resource), strings.ToLower(b.Resource)))
}

func sameMachine(a, b agent.Host) bool { return strings.EqualFold(a.Resource, b.Resource) }

// mayStart refuses the start of a host that would pass the limit of what all cost. It
// returns the others that there are.
func (f *Fleet) mayStart(ctx context.Context, inst Instance, h agent.Host) ([]agent.Host, error) {
	if inst.Defaults.MaxHourlyCost == 0 || h.Billing == agent.BillingCompute {
		return nil, nil
	}
	hosts, err := f.counted(ctx, inst)
	if err != nil {
		return nil, err
	}
	hosts = slices.DeleteFunc(hosts, func(o agent.Host) bool { return sameMachine(o, h) })
	h.Billing = agent.BillingCompute
	return hosts, withinCost(ctx, inst, hosts, h, "starting host")
}

// counted are the hosts of an instance's group that count against its limits: all that cost
// something, whoever made them.
func (f *Fleet) counted(ctx context.Context, inst Instance) ([]agent.Host, error) {
	hosts, err := inst.List(ctx)
	if err != nil {
		return nil, err
	}
	hosts = f.there(inst, hosts)
	for n := range hosts {
		if hosts[n].Addresses == nil { // one that is being made shows none yet, and will have one at most
			hosts[n].Addresses = new(1)
		}
	}
	return hosts, nil
}

// there are the hosts of a list that are not on their way out, with what their tags say.
func (f *Fleet) there(inst Instance, listed []agent.Host) []agent.Host {
	for n := range listed {
		listed[n].Via = inst.Name()
		f.read(&listed[n])
	}
	return slices.DeleteFunc(listed, func(h agent.Host) bool { return h.State == agent.HostDeleting || h.Gone() })
}

// withinLimits judges one host more.
func withinLimits(ctx context.Context, inst Instance, others []agent.Host, one agent.Host) error {
	if most := inst.Defaults.MaxHosts; most > 0 && len(others) >= most {
		return agent.Errorf(agent.KindRefused, "max_hosts is %d, and provider %s has %d hosts: %s", most, inst.Name(), len(others), someHosts(others)).
			WithHint("mngr list # %d of them must go (mngr destroy); or: mngr config set providers.%s.max_hosts %d", len(others)+1-most, inst.Name(), len(others)+1)
	}
	if inst.Defaults.MaxHourlyCost == 0 {
		return nil
	}
	one.Billing = agent.BillingCompute // while it is made nothing else is certain
	return withinCost(ctx, inst, others, one, "host")
}

// withinCost judges what all hosts cost an hour with one more that runs. What has no known
// price may cost anything.
func withinCost(ctx context.Context, inst Instance, others []agent.Host, one agent.Host, what string) error {
	most := inst.Defaults.MaxHourlyCost
	all := append(slices.Clone(others), one)
	rates := inst.Rates(ctx, all)
	now := agent.USD{}
	for n, h := range others {
		now = now.Plus(rates[n].Now(h.Billing))
	}
	total := now.Plus(rates[len(others)].Now(one.Billing))
	if total.Known > most+1e-9 {
		return agent.Errorf(agent.KindRefused, "max_hourly_cost is $%.4g, and with %s %q the hosts of provider %s would cost %s an hour (%s now)",
			most, what, one.Name, inst.Name(), total.About(), now.About()).
			WithHint("mngr cost # shows what costs how much; mngr stop what is not needed, or: mngr config set providers.%s.max_hourly_cost %.4f", inst.Name(), math.Ceil(total.Known*1e4)/1e4)
	}
	for n, h := range all {
		if missing := rates[n].Missing(h.Billing); len(missing) > 0 {
			return unknownCost(inst, h, missing)
		}
	}
	return nil
}

func unknownCost(inst Instance, h agent.Host, missing []string) error {
	what := h.Size + " in " + h.Region
	if h.Spot {
		what += ", Spot"
	}
	return agent.Errorf(agent.KindRefused, "max_hourly_cost is $%.4g, and what host %q costs (%s) is not known: there is no price of %s",
		inst.Defaults.MaxHourlyCost, h.Name, what, join(missing)).
		WithHint("take another size or region, which may have one, or add -S providers.%s.max_hourly_cost=0, which switches the limit off this once", inst.Name())
}

// someHosts names hosts, not too many.
func someHosts(hosts []agent.Host) string {
	const most = 10
	var names []string
	for _, h := range hosts[:min(len(hosts), most)] {
		names = append(names, h.Name)
	}
	if len(hosts) > most {
		names = append(names, fmt.Sprintf("and %d more", len(hosts)-most))
	}
	return join(names)
}
