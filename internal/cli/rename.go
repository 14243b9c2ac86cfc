package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

func newRename(app *App) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:     "rename AGENT|@HOST NAME",
		Aliases: []string{"mv"},
		Short:   "Give an agent or a host another name",
		Long: `Give an agent or, with a leading @, a host another name. The host may run or be stopped; a
running agent goes on, and whoever is connected stays so. Azure's own name of the machine
does not change, and ids do not.`,
		Example:           "  mngr rename my-agent other-name\n  mngr rename @my-host other-host",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRename(cmd.Context(), app, args[0], args[1], dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be renamed, and change nothing")
	return cmd
}

type renamedRow struct {
	Kind   string       `json:"kind"` // agent or host
	ID     string       `json:"id"`
	From   string       `json:"from"`
	To     string       `json:"to"`
	Host   agent.HostID `json:"host_id"`
	DryRun bool         `json:"dry_run"`
}

func runRename(ctx context.Context, app *App, target, name string, dryRun bool) error {
	f, err := app.fleet()
	if err != nil {
		return err
	}
	if strings.HasPrefix(target, "@") {
		name = strings.TrimPrefix(name, "@")
	}
	app.left.Store(agent.Errorf(agent.KindCanceled, "the name may be changed or not").WithHint("mngr list # shows it; mngr rename may be repeated"))
	var out fleet.Renamed
	err = app.withProgress(func(phase agent.Progress) error {
		out, err = f.Rename(ctx, target, name, dryRun, phase)
		return err
	})
	if err != nil {
		return err
	}
	if out.Warning != "" {
		app.printer().Warn(out.Warning, "")
	}
	row := renamedRow{Kind: "agent", ID: string(out.Agent.ID), From: out.From, To: out.To, Host: out.Host.ID, DryRun: dryRun}
	if row.ID == "" {
		row.Kind, row.ID = "host", string(out.Host.ID)
	}
	verb := "is now called"
	if dryRun {
		verb = "would be called"
	}
	return app.printer().Emit(output.Result{
		Event: "renamed", Data: row,
		Human: func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s %s %s %s\n", row.Kind, row.From, verb, row.To)
			return err
		},
	})
}
