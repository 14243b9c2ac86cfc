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

func newStart(app *App) *cobra.Command {
	var attach bool
	cmd := &cobra.Command{
		Use:   "start AGENT...",
		Short: "Start stopped agents and their hosts",
		Long: `Start stopped agents and their hosts. The address, the host keys and all files are
the same as before; agents that ran when the host stopped run again.`,
		Example:           "  mngr start my-agent\n  mngr start my-agent --connect",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			if attach && len(args) > 1 {
				return agent.Errorf(agent.KindUsage, "--connect takes one agent")
			}
			return runStart(cmd.Context(), app, args, attach)
		},
	}
	cmd.Flags().BoolVar(&attach, "connect", false, "attach this terminal afterwards")
	return cmd
}

func runStart(ctx context.Context, app *App, names []string, attach bool) error {
	f, rows, err := app.find(ctx, names)
	if err != nil {
		return err
	}
	if attach && !app.interactive() {
		return agent.Errorf(agent.KindUsage, "--connect needs a terminal")
	}
	groups := fleet.ByHost(rows)
	results := make([]fleet.Started, len(groups))
	err = app.eachHost(groups, func(n int, group []fleet.Row, phase agent.Progress) error {
		var err error
		results[n], err = f.Start(ctx, group, phase)
		return err
	})
	started, booted := []string{}, false
	for _, r := range results {
		started = append(started, r.Agents...)
		booted = booted || r.Booted
		for _, w := range r.Warnings {
			app.printer().Warn(w, "")
		}
	}
	err = errors.Join(err, app.printer().Emit(output.Result{
		Event: "started",
		Data:  map[string]any{"started_agents": started, "count": len(started), "was_host_started": booted},
		Human: func(w io.Writer) error {
			if len(started) > 0 {
				_, err := fmt.Fprintf(w, "%s: running\n", strings.Join(started, ", "))
				return err
			}
			return nil
		},
	}))
	if err != nil || !attach {
		return err
	}
	return connect(ctx, f, fleet.Row{Agent: rows[0].Agent, Host: runningHost(results[0].Host)})
}
