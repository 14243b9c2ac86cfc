package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

func newStop(app *App) *cobra.Command {
	var o fleet.StopOptions
	cmd := &cobra.Command{
		Use:   "stop AGENT|@HOST...",
		Short: "Stop agents, and deallocate hosts on which no other agent runs",
		Long: `Stop agents. A host on which no other agent runs is deallocated: Azure then bills its
disk and its address, and no compute. Files stay. @HOST stops a host with all its agents,
as --stop-host does: without SSH.`,
		Example:           "  mngr stop my-agent\n  mngr stop my-agent --keep-host\n  mngr stop my-agent --stop-host",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.KeepHost && o.StopHost {
				return agent.Errorf(agent.KindUsage, "--keep-host and --stop-host exclude each other")
			}
			return runStop(cmd.Context(), app, args, o)
		},
	}
	cmd.Flags().BoolVar(&o.KeepHost, "keep-host", false, "leave the host up; it bills")
	cmd.Flags().BoolVar(&o.StopHost, "stop-host", false, "deallocate the host with all its agents, without SSH")
	cmd.Flags().BoolVar(&o.NoWait, "no-wait", false, "return once Azure has accepted the deallocation")
	return cmd
}

type stoppedRow struct {
	Host        string   `json:"host"`
	Agents      []string `json:"agents"`
	Deallocated bool     `json:"deallocated"`
	Already     bool     `json:"already_stopped"`
}

func runStop(ctx context.Context, app *App, names []string, o fleet.StopOptions) error {
	f, err := app.fleet()
	if err != nil {
		return err
	}
	targets, err := f.FindTargets(ctx, names, false)
	if err != nil {
		return err
	}
	groups, whole := stopGroups(targets.Rows, targets.Hosts)
	app.left.Store(leftOfStop(groups, whole, o))
	results := make([]fleet.Stopped, len(groups))
	err = app.eachHost(groups, func(n int, group []fleet.Row, phase agent.Progress) error {
		o := o
		o.StopHost = o.StopHost || n < whole
		var err error
		results[n], err = f.Stop(ctx, group, o, phase)
		return err
	})
	done := []stoppedRow{}
	for _, r := range results {
		if !r.Already && !r.Deallocated && len(r.Agents) == 0 {
			continue // it failed
		}
		row := stoppedRow{Host: r.Host.Name, Agents: r.Agents, Deallocated: r.Deallocated, Already: r.Already}
		if r.Deallocated || r.Already {
			row.Agents = agentNames(r.Host) // all went down with it
		}
		done = append(done, row)
		app.printer().WarnAll(r.Warnings)
	}
	said := make([]string, len(done))
	for n, r := range done {
		said[n] = stoppedLine(r, o)
	}
	return errors.Join(err, unwritten(app.printer().Emit(output.Result{
		Event: "stopped",
		Data:  map[string]any{"stopped": done, "count": len(done)},
		Human: func(w io.Writer) error {
			for _, line := range said {
				fmt.Fprintln(w, line)
			}
			return nil
		},
	}), false, lines(said, "nothing was stopped"), "mngr list"))
}

// stopGroups puts the hosts that were named themselves first, with all their agents.
func stopGroups(rows []fleet.Row, hosts []agent.Host) (groups [][]fleet.Row, whole int) {
	named := map[string]bool{}
	for _, h := range hosts {
		if named[h.Resource] {
			continue
		}
		named[h.Resource] = true
		group := []fleet.Row{}
		for _, a := range h.Agents {
			group = append(group, fleet.Row{Agent: a, Host: h})
		}
		if len(group) == 0 {
			group = append(group, fleet.Row{Host: h})
		}
		groups = append(groups, group)
	}
	whole = len(groups)
	for _, group := range fleet.ByHost(rows) {
		if !named[group[0].Host.Resource] {
			groups = append(groups, group)
		}
	}
	return groups, whole
}

func stoppedLine(r stoppedRow, o fleet.StopOptions) string {
	agents := strings.Join(r.Agents, ", ")
	if agents == "" {
		agents = "@" + r.Host
	}
	switch {
	case r.Already:
		return fmt.Sprintf("%s: host %s is stopped already", agents, r.Host)
	case r.Deallocated && o.NoWait:
		return fmt.Sprintf("%s: Azure is deallocating host %s", agents, r.Host)
	case r.Deallocated:
		return fmt.Sprintf("%s: host %s is deallocated and costs no compute", agents, r.Host)
	}
	return fmt.Sprintf("%s: stopped; host %s keeps running and bills", agents, r.Host)
}

func agentNames(h agent.Host) []string {
	names := make([]string, 0, len(h.Agents))
	for _, a := range h.Agents {
		names = append(names, a.Name)
	}
	return names
}

// find resolves agents for the commands that act on several.
func (a *App) find(ctx context.Context, names []string) (*fleet.Fleet, []fleet.Row, error) {
	f, err := a.fleet()
	if err != nil {
		return nil, nil, err
	}
	rows, err := f.Find(ctx, names)
	return f, rows, err
}

// eachHost works on several hosts at once under one display of progress. One that fails
// does not keep the others from their end.
func (a *App) eachHost(groups [][]fleet.Row, act func(n int, group []fleet.Row, phase agent.Progress) error) error {
	errs := make([]error, len(groups))
	err := a.withProgress(func(show agent.Progress) error {
		var wg sync.WaitGroup
		for n, group := range groups {
			phase := show
			if len(groups) > 1 {
				phase = func(s string) { show(group[0].Host.Name + ": " + s) }
			}
			wg.Go(func() { errs[n] = act(n, group, phase) })
		}
		wg.Wait()
		return errors.Join(errs...)
	})
	if len(groups) == 1 {
		return errs[0]
	}
	return err
}
