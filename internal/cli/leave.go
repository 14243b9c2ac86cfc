package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// leave ends the process at once. Its last word is an error like any other.
func (a *App) leave() {
	err := agent.Errorf(agent.KindCanceled, "interrupted")
	if left := a.left.Load(); left != nil {
		err = agent.Errorf(left.Kind, "left at once: %s", left.Cause).WithHint("%s", left.Hint)
	}
	a.lastWord(err)
	os.Exit(output.ExitCode(err))
}

// lastWord prints an error unless the terminal takes nothing: that keeps nobody here. Before
// the flags are parsed there is no printer, and nothing to say.
func (a *App) lastWord(err error) {
	p := a.out.Load()
	if p == nil {
		return
	}
	said := make(chan struct{})
	go func() {
		p.LastWord(err)
		close(said)
	}()
	select {
	case <-said:
	case <-time.After(time.Duration(agent.DeadlineLastWord)):
	}
}

// leftOfCreate notes what an end at once would leave of a create. Ids tell it: another agent,
// or another host, may have the name.
func (a *App) leftOfCreate(s *fleet.AtStake) {
	switch {
	case s == nil:
		a.left.Store(nil)
	case s.Agent != "":
		a.left.Store(agent.Errorf(agent.KindCanceled, "the agent may be half made on host %s", s.Host.Name).
			WithHint("mngr destroy --force %s # removes it; the same mngr create goes on", s.Agent))
	default:
		a.left.Store(agent.Errorf(agent.KindRemains, "%s", mayBill([]agent.Host{s.Host}, "remain")).
			WithHint("mngr destroy --force @%s # removes it", s.Host.ID))
	}
}

// leftOfStart is what an end at once would leave of a start. A host that ran before bills as
// before.
func leftOfStart(groups [][]fleet.Row) *agent.Error {
	var hosts []agent.Host
	for _, group := range groups {
		if group[0].Host.State != agent.HostRunning {
			hosts = append(hosts, group[0].Host)
		}
	}
	if len(hosts) == 0 {
		return agent.Errorf(agent.KindCanceled, "the agents may be started or not").WithHint("mngr list # shows them; mngr start may be repeated")
	}
	return agent.Errorf(agent.KindRemains, "%s", mayBill(hosts, "have been started")).
		WithHint("mngr stop %s # ends the bill; mngr list shows whether there is one", byID(hosts, nil))
}

// leftOfStop is what an end at once would leave of a stop. The hosts of the first groups,
// whole of them, stop with all their agents.
func leftOfStop(groups [][]fleet.Row, whole int, o fleet.StopOptions) *agent.Error {
	var hosts, all []agent.Host
	var rows []fleet.Row
	for n, group := range groups {
		hosts = append(hosts, group[0].Host)
		if n < whole || o.StopHost || len(group) == len(group[0].Host.Agents) {
			all = append(all, group[0].Host)
		} else {
			rows = append(rows, group...)
		}
	}
	if o.KeepHost {
		return agent.Errorf(agent.KindCanceled, "the agents may be stopped or not").WithHint("mngr list # shows them; mngr stop may be repeated")
	}
	return agent.Errorf(agent.KindRemains, "%s", mayBill(hosts, "still be allocated")).
		WithHint("mngr stop %s # goes on; mngr list shows their states", byID(all, rows))
}

// leftOfDestroy is what an end at once would leave of a destroy; nil where it has nothing to do.
func leftOfDestroy(plan fleet.DestroyPlan) *agent.Error {
	var err *agent.Error
	switch {
	case len(plan.Hosts) > 0:
		err = agent.Errorf(agent.KindRemains, "%s", mayBill(plan.Hosts, "remain"))
	case len(plan.Agents) > 0:
		err = agent.Errorf(agent.KindCanceled, "the agents may be half removed; their hosts stay")
	default:
		return nil
	}
	return err.WithHint("mngr destroy --force %s # goes on; mngr gc removes what is left of machines that are gone", byID(plan.Hosts, plan.Agents))
}

// manyNamed is how many things an error names one by one.
const manyNamed = 5

// leftOfGC is what an end at once would leave of a collection.
func leftOfGC(list fleet.GarbageList) *agent.Error {
	var names []string
	for _, g := range list.Items {
		if g.Kept == "" && g.Kind != agent.LeftoverRole && g.Kind != agent.LeftoverLocal {
			names = append(names, g.Name)
		}
	}
	err := agent.Errorf(agent.KindRemains, "what hosts left may remain, and bills: %s", strings.Join(names, ", "))
	switch {
	case len(names) == 0:
		err = agent.Errorf(agent.KindCanceled, "what hosts left may remain, and bills nothing")
	case len(names) > manyNamed:
		err = agent.Errorf(agent.KindRemains, "what hosts left may remain, and bills: %s and %d more", strings.Join(names[:manyNamed], ", "), len(names)-manyNamed)
	}
	return err.WithHint("mngr gc --dry-run # says what is left; the same mngr gc goes on")
}

// mayBill says of hosts what may have happened to them.
func mayBill(hosts []agent.Host, happened string) string {
	var names []string
	for _, h := range hosts {
		names = append(names, h.Name)
	}
	if len(names) == 1 {
		return fmt.Sprintf("host %s may %s, and bills", names[0], happened)
	}
	return fmt.Sprintf("hosts %s may %s, and bill", strings.Join(names, ", "), happened)
}

// byID are hosts and agents as arguments that mean these and no others.
func byID(hosts []agent.Host, rows []fleet.Row) string {
	var words []string
	for _, h := range hosts {
		words = append(words, "@"+string(h.ID))
	}
	for _, r := range rows {
		words = append(words, string(r.Agent.ID))
	}
	return strings.Join(words, " ")
}
