package cli

import (
	"context"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

func newConnect(app *App) *cobra.Command {
	return &cobra.Command{
		Use:               "connect AGENT",
		Aliases:           []string{"conn"},
		Short:             "Attach this terminal to an agent's tmux session",
		Long:              "Attach this terminal to an agent's tmux session. Ctrl-b d leaves it running.",
		Example:           "  mngr connect my-agent",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !app.interactive() {
				return agent.Errorf(agent.KindUsage, "connect needs a terminal").WithHint("mngr exec %s COMMAND # runs without one", args[0])
			}
			f, err := app.fleet()
			if err != nil {
				return err
			}
			rows, err := f.Find(cmd.Context(), args)
			if err != nil {
				return err
			}
			return connect(cmd.Context(), f, rows[0])
		},
	}
}

func connect(ctx context.Context, f *fleet.Fleet, row fleet.Row) error {
	code, err := f.Connect(ctx, row)
	if err != nil {
		return err
	}
	if code != 0 {
		return &output.Exit{Code: code, Err: agent.Errorf(agent.KindUnreachable, "the session of %q ended with code %d", row.Agent.Name, code).
			WithHint("mngr start %s # starts it; mngr list shows whether it runs", row.Agent.Name)}
	}
	return nil
}
