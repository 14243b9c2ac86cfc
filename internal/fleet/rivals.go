package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mngr/internal/agent"
)

// Of two starts at once that are one too many exactly one gives way. Each announces itself
// in the tags of its host, looks at the others (before), asks Azure, and looks again. Whoever
// was billed at the first of these looks was there first. Whoever was not will see this
// announcement when it looks the second time, so that both know, and the order in which
// everybody counts decides, as it does for creates.

// mayRun is asked once Azure has accepted a start.
func (f *Fleet) mayRun(ctx context.Context, inst Instance, started agent.Host, before []agent.Host, progress agent.Progress) (err error) {
	if inst.Defaults.MaxHourlyCost == 0 {
		return nil
	}
	ctx, done := agent.Within(ctx, agent.DeadlineOperation, "waiting for others who start a host")
	defer done(&err)
	for looks, told := 1, false; ; looks++ {
		hosts, err := f.counted(ctx, inst)
		if err != nil {
			return fmt.Errorf("count the hosts again: %w", err)
		}
		me := started
		others := slices.DeleteFunc(hosts, func(h agent.Host) bool {
			if !sameMachine(h, started) {
				return false
			}
			me = h
			return true
		})
		me.Billing = agent.BillingCompute
		if looks < fewLooks && slices.ContainsFunc(others, func(h agent.Host) bool { return h.Billing == agent.BillingUnknown }) {
			if err := pause(ctx); err != nil { // Azure does not say at the moment; before the start it did
				return fmt.Errorf("count the hosts again: %w", err)
			}
			continue
		}
		run, may := f.goFirst(me, others, before)
		if err := withinCost(ctx, inst, run, me, "starting host"); err != nil {
			return err
		}
		if withinCost(ctx, inst, may, me, "starting host") == nil {
			return nil
		}
		if !told {
			told = true
			progress("waiting for others who start a host, too: " + bills(me))
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("count the hosts again: %w", err)
		}
	}
}

// goFirst are the hosts beside one that has been started, as they count for it: what those
// that are to give way to it cost in any case only. In may those that have announced a start
// run, too.
func (f *Fleet) goFirst(me agent.Host, others, before []agent.Host) (run, may []agent.Host) {
	for _, o := range others {
		at := slices.IndexFunc(before, func(h agent.Host) bool { return sameMachine(h, o) })
		rival := at >= 0 && before[at].Billing != agent.BillingCompute
		first := !me.Run.Known || o.Run.Known && byAge(o, me) < 0 // who cannot announce itself gives way
		if rival && !first && o.Billing == agent.BillingCompute && f.recent(me, announcement) {
			o.Billing = agent.BillingStorage // it has seen that this one was about to start
		}
		run = append(run, o)
		if rival && first && f.announced(o) {
			o.Billing = agent.BillingCompute
		}
		may = append(may, o)
	}
	return run, may
}

// An announcement counts for whoever made it while Azure may be accepting the start, and for
// the others a little longer: what they look at may be as old as a list takes, and their
// clocks may differ by a minute.
const (
	announcement     = time.Duration(agent.DeadlineChange)
	seenAnnouncement = announcement + time.Duration(agent.DeadlineList) + time.Minute
)

// fewLooks are how often a host is looked at of which Azure does not say whether it runs.
const fewLooks = 5

// recent tells whether a host's run was opened in the last while, by a clock that may be a
// minute ahead.
func (f *Fleet) recent(h agent.Host, while time.Duration) bool {
	age := f.Now().Sub(h.Run.Since)
	return age < while && age > -time.Minute
}

// announced tells a host that is down and somebody is about to start, for all that its tags
// say: its run is open, and that was written lately, not when the machine went up last.
func (f *Fleet) announced(h agent.Host) bool {
	return isDown(h) && h.Run.Known && !h.Run.Closed && f.recent(h, seenAnnouncement) && h.Run.Since.After(h.ChangedAt.Add(-time.Minute))
}
