package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

type destroyFlags struct {
	force  bool
	dryRun bool
	noGC   bool
}

func newDestroy(app *App) *cobra.Command {
	var flags destroyFlags
	cmd := &cobra.Command{
		Use:     "destroy AGENT|@HOST...",
		Aliases: []string{"rm"},
		Short:   "Remove agents, and hosts that have no other agent, for good",
		Long: `Remove agents for good. A host goes with its last agent: the machine, its disk, its
interface, its address and its role assignment; whatever Azure leaves of it is deleted or
named. It needs neither SSH nor the machine that created it, works in every state, and may
be repeated. On a terminal it asks; without one it wants --force.

Afterwards it collects what earlier hosts left, as mngr gc does, except for machines.`,
		Example:           "  mngr destroy my-agent\n  mngr destroy --force my-agent\n  mngr destroy --dry-run @my-host",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDestroy(cmd.Context(), app, args, flags)
		},
	}
	cmd.Flags().BoolVarP(&flags.force, "force", "f", false, "do not ask; unknown names are passed over")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "say what would go, and change nothing")
	cmd.Flags().BoolVar(&flags.noGC, "no-gc", false, "do not collect afterwards what earlier hosts left")
	return cmd
}

func runDestroy(ctx context.Context, app *App, names []string, flags destroyFlags) error {
	f, err := app.fleet()
	if err != nil {
		return err
	}
	targets, err := f.FindTargets(ctx, names, flags.force)
	if err != nil {
		return err
	}
	for _, missing := range targets.Missing {
		app.printer().Warn(missing.Error(), agent.HintOf(missing)) // a misspelt host would bill on
	}
	plan := fleet.PlanDestroy(targets.Rows, targets.Hosts)
	if flags.dryRun {
		return app.printDestroyed(destroyed{plan: plan, dryRun: true, failure: errors.Join(targets.Unsure...)})
	}
	if err := app.mayDestroy(ctx, plan, flags.force); err != nil {
		return err
	}
	app.left.Store(leftOfDestroy(plan))
	done, err := app.destroy(ctx, f, plan)
	if err == nil {
		app.left.Store(nil)
	}
	var collected *gcResult
	if !flags.noGC && ctx.Err() == nil {
		collected = app.collectAfter(ctx, f, plan)
	}
	err = errors.Join(append(targets.Unsure, err)...)
	return app.printDestroyed(destroyed{plan: done, failure: err, gc: collected})
}

// manyDestroyed is how many hosts are destroyed at a time.
const manyDestroyed = 8

// destroy works on all targets at once; one that fails does not keep the others.
func (a *App) destroy(ctx context.Context, f *fleet.Fleet, plan fleet.DestroyPlan) (fleet.DestroyPlan, error) {
	hosts, agents := make([]error, len(plan.Hosts)), make([]error, len(plan.Agents))
	var warnings []error
	err := a.withProgress(func(show agent.Progress) error {
		var g errgroup.Group
		g.SetLimit(manyDestroyed)
		named := func(host string) agent.Progress {
			if len(hosts)+len(agents) == 1 {
				return show
			}
			return func(phase string) { show(host + ": " + phase) }
		}
		for n, h := range plan.Hosts {
			g.Go(func() error { hosts[n] = f.DestroyHost(ctx, h, named(h.Name)); return nil })
		}
		for _, rows := range sameHost(plan.Agents) {
			g.Go(func() error { // one after the other: they share a connection's worth of work
				for _, n := range rows {
					agents[n] = f.DestroyAgent(ctx, plan.Agents[n], named(plan.Agents[n].Host.Name))
				}
				return nil
			})
		}
		_ = g.Wait()
		for n, err := range hosts {
			if err != nil && agent.Harmless(err) {
				hosts[n], warnings = nil, append(warnings, err)
			}
		}
		return errors.Join(slices.Concat(hosts, agents)...)
	})
	for _, w := range warnings {
		a.printer().Warn(w.Error(), agent.HintOf(w))
	}
	var done fleet.DestroyPlan
	for n, h := range plan.Hosts {
		if hosts[n] == nil {
			done.Hosts = append(done.Hosts, h)
		}
	}
	for n, r := range plan.Agents {
		if agents[n] == nil {
			done.Agents = append(done.Agents, r)
		}
	}
	return done, err
}

// sameHost groups the indexes of rows by their hosts.
func sameHost(rows []fleet.Row) map[string][]int {
	groups := map[string][]int{}
	for n, r := range rows {
		groups[r.Host.Resource] = append(groups[r.Host.Resource], n)
	}
	return groups
}

// mayDestroy asks, or wants to have been told beforehand.
func (a *App) mayDestroy(ctx context.Context, plan fleet.DestroyPlan, force bool) error {
	if force || len(plan.Hosts)+len(plan.Agents) == 0 {
		return nil
	}
	if !a.interactive() {
		return agent.Errorf(agent.KindRefused, "destroying cannot be undone and nobody can be asked; nothing was changed").WithHint("add --force")
	}
	p := a.printer()
	for _, line := range planLines(plan, "goes") {
		p.Note("%s", line)
	}
	yes, err := p.Confirm(ctx, "This cannot be undone. Destroy?")
	if err != nil {
		return err
	}
	if !yes {
		return agent.Errorf(agent.KindCanceled, "nothing was changed")
	}
	return nil
}

func planLines(plan fleet.DestroyPlan, verb string) []string {
	var lines []string
	for _, h := range plan.Hosts {
		line := fmt.Sprintf("host %s on %s %s, with its disk and address", h.Name, h.Provider, verb)
		switch names := agentNames(h); len(names) {
		case 0:
		case 1:
			line += " and agent " + names[0]
		default:
			line += " and agents " + strings.Join(names, ", ")
		}
		lines = append(lines, line)
	}
	for _, r := range plan.Agents {
		lines = append(lines, fmt.Sprintf("agent %s %s; its host %s stays", r.Agent.Name, verb, r.Host.Name))
	}
	return lines
}

// destroyed is what destroy has to tell.
type destroyed struct {
	plan    fleet.DestroyPlan
	failure error
	gc      *gcResult // nil where nothing was collected
	dryRun  bool
}

func (a *App) printDestroyed(d destroyed) error {
	agents, hosts := []string{}, []string{}
	for _, h := range d.plan.Hosts {
		hosts = append(hosts, h.Name)
		agents = append(agents, agentNames(h)...)
	}
	for _, r := range d.plan.Agents {
		agents = append(agents, r.Agent.Name)
	}
	failures := output.Failures(d.failure)
	if failures == nil {
		failures = []output.Failure{}
	}
	verb := "is destroyed"
	if d.dryRun {
		verb = "would be destroyed"
	}
	done := planLines(d.plan, verb)
	return errors.Join(d.failure, unwritten(a.printer().Emit(output.Result{
		Event: "destroyed",
		Data: map[string]any{
			"destroyed_agents": agents, "count": len(agents),
			"destroyed_hosts": hosts, "destroyed_host_count": len(hosts), "dry_run": d.dryRun,
			"failures": failures, "failure_count": len(failures), "gc": d.gc,
		},
		Human: func(w io.Writer) error {
			if len(done) == 0 && d.failure == nil {
				a.printer().Note("nothing to destroy")
			}
			for _, l := range done {
				fmt.Fprintln(w, l)
			}
			return nil
		},
	}), false, lines(done, "nothing was destroyed"), "mngr list"))
}
