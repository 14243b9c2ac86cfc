package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

type destroyFlags struct {
	force  bool
	dryRun bool
}

func newDestroy(app *App) *cobra.Command {
	var flags destroyFlags
	cmd := &cobra.Command{
		Use:     "destroy AGENT|@HOST...",
		Aliases: []string{"rm"},
		Short:   "Remove agents, and hosts that have no other agent, for good",
		Long: `Remove agents for good. A host goes with its last agent: the machine, its disk, its
interface, its address and its role assignment. It needs neither SSH nor the machine
that created it. On a terminal it asks; without one it wants --force.`,
		Example:           "  mngr destroy my-agent\n  mngr destroy --force my-agent\n  mngr destroy --dry-run @my-host",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDestroy(cmd.Context(), app, args, flags)
		},
	}
	cmd.Flags().BoolVarP(&flags.force, "force", "f", false, "do not ask; unknown names are passed over")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "say what would go, and change nothing")
	return cmd
}

func runDestroy(ctx context.Context, app *App, names []string, flags destroyFlags) error {
	f, err := app.fleet()
	if err != nil {
		return err
	}
	rows, hosts, err := f.FindTargets(ctx, names, flags.force)
	if err != nil {
		return err
	}
	plan := fleet.PlanDestroy(rows, hosts)
	if flags.dryRun {
		return app.printDestroyed(plan, nil, true)
	}
	if err := app.mayDestroy(ctx, plan, flags.force); err != nil {
		return err
	}
	app.atStake.Store(new("hosts may remain, and bill; mngr list shows them, and destroy may be repeated"))
	var done fleet.DestroyPlan
	err = app.withProgress(func(phase agent.Progress) error {
		var errs []error
		for _, h := range plan.Hosts {
			err := f.DestroyHost(ctx, h, phase)
			if err == nil {
				done.Hosts = append(done.Hosts, h)
			}
			errs = append(errs, err)
		}
		for _, r := range plan.Agents {
			err := f.DestroyAgent(ctx, r, phase)
			if err == nil {
				done.Agents = append(done.Agents, r)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	return app.printDestroyed(done, err, false)
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
		if len(h.Agents) > 0 {
			line += " and agents " + strings.Join(agentNames(h), ", ")
		}
		lines = append(lines, line)
	}
	for _, r := range plan.Agents {
		lines = append(lines, fmt.Sprintf("agent %s %s; its host %s stays", r.Agent.Name, verb, r.Host.Name))
	}
	return lines
}

func (a *App) printDestroyed(plan fleet.DestroyPlan, failure error, dryRun bool) error {
	agents, hosts := []string{}, []string{}
	for _, h := range plan.Hosts {
		hosts = append(hosts, h.Name)
		for _, g := range h.Agents {
			agents = append(agents, g.Name)
		}
	}
	for _, r := range plan.Agents {
		agents = append(agents, r.Agent.Name)
	}
	verb := "is destroyed"
	if dryRun {
		verb = "would be destroyed"
	}
	return errors.Join(failure, a.printer().Emit(output.Result{
		Event: "destroyed",
		Data: map[string]any{
			"destroyed_agents": agents, "count": len(agents),
			"destroyed_hosts": hosts, "destroyed_host_count": len(hosts), "dry_run": dryRun,
		},
		Human: func(w io.Writer) error {
			lines := planLines(plan, verb)
			if len(lines) == 0 && failure == nil {
				a.printer().Note("nothing to destroy")
			}
			for _, l := range lines {
				fmt.Fprintln(w, l)
			}
			return nil
		},
	}))
}
