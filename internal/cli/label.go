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
	"mngr/internal/plain"
)

func newLabel(app *App) *cobra.Command {
	var set, remove []string
	cmd := &cobra.Command{
		Use:   "label AGENT... [KEY=VALUE...] [KEY-...]",
		Short: "Set, remove or show labels of agents",
		Long: `Set labels with KEY=VALUE, remove them with KEY- and, with neither, show them. Hosts may
run or be stopped: labels are kept in the tags of the machine, and a running host's own
record follows. What does not fit into the 50 tags that Azure allows is refused.`,
		Example:           "  mngr label my-agent team=web ticket=4711\n  mngr label my-agent ticket-\n  mngr label my-agent",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			names, change, err := labelArgs(args, set, remove)
			if err != nil {
				return err
			}
			return runLabel(cmd.Context(), app, names, change)
		},
	}
	cmd.Flags().StringArrayVarP(&set, "label", "l", nil, "the same as KEY=VALUE (repeatable)")
	cmd.Flags().StringArrayVar(&remove, "remove", nil, "the same as KEY- (repeatable)")
	return cmd
}

// labelArgs tells agents from changes: no agent's name has a = or ends with a dash.
func labelArgs(args, set, remove []string) (names []string, change fleet.LabelChange, err error) {
	for _, a := range args {
		key, removes := strings.CutSuffix(a, "-")
		switch {
		case strings.Contains(a, "="):
			set = append(set, a)
		case removes:
			remove = append(remove, key)
		default:
			names = append(names, a)
		}
	}
	if len(names) == 0 {
		return nil, change, agent.Errorf(agent.KindUsage, "no agent is named").WithHint("mngr label AGENT KEY=VALUE")
	}
	if change.Set, err = labels(set); err != nil {
		return nil, change, err
	}
	for _, key := range remove {
		if err := agent.CheckLabelKey(key); err != nil {
			return nil, change, err
		}
	}
	change.Remove = remove
	return names, change, change.Check()
}

type labelledRow struct {
	ID     agent.ID          `json:"agent_id"`
	Name   string            `json:"agent_name"`
	Labels map[string]string `json:"labels"`
}

func runLabel(ctx context.Context, app *App, names []string, change fleet.LabelChange) error {
	f, rows, err := app.find(ctx, names)
	if err != nil {
		return err
	}
	if len(change.Set)+len(change.Remove) == 0 {
		var all []agent.Record
		for _, r := range rows {
			all = append(all, r.Agent)
		}
		return app.printLabels("labels", "agents", all)
	}
	app.left.Store(agent.Errorf(agent.KindCanceled, "labels may be written or not").WithHint("mngr list --fields name,labels # shows them; mngr label may be repeated"))
	groups := fleet.ByHost(rows)
	results := make([]fleet.Labelled, len(groups))
	err = app.eachHost(groups, func(n int, group []fleet.Row, phase agent.Progress) error {
		var err error
		results[n], err = f.Label(ctx, group, change, phase)
		return err
	})
	var done []agent.Record
	for _, r := range results {
		done = append(done, r.Agents...)
		if r.Warning != "" {
			app.printer().Warn(r.Warning, "")
		}
	}
	return errors.Join(err, app.printLabels("labelled", "changes", done))
}

func (a *App) printLabels(event, key string, agents []agent.Record) error {
	rows := []labelledRow{}
	for _, r := range agents {
		row := labelledRow{r.ID, r.Name, r.Labels}
		if row.Labels == nil {
			row.Labels = map[string]string{}
		}
		rows = append(rows, row)
	}
	return a.printer().Emit(output.Result{
		Event: event,
		Data:  map[string]any{key: rows, "count": len(rows)},
		Human: func(w io.Writer) error {
			for _, r := range rows {
				fmt.Fprintf(w, "%s: %s\n", r.Name, labelsText(r.Labels))
			}
			return nil
		},
	})
}

func labelsText(labels map[string]string) string {
	values := map[string]any{}
	for k, v := range labels {
		values[plain.Escape(k)] = plain.Escape(v)
	}
	if len(values) == 0 {
		return "no labels"
	}
	return output.Text(values)
}
