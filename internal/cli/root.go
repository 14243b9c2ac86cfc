package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/output"
)

func newRoot(app *App, local *cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "mngr",
		Short: "Run coding agents on your own Azure virtual machines",
		Long: `mngr runs coding agents in Docker containers on your own Azure virtual machines
and pays for them only while they work.

No subscription at hand? The provider azure-local is an Azure on this machine:
  mngr azure prepare --provider azure-local`,
		Example: `  mngr azure prepare --allowed-ssh-cidr 203.0.113.4/32
  mngr create my-agent --provider azure -- ./long-job.sh
  mngr list
  mngr exec my-agent "git log -1"
  mngr stop my-agent`,
		Version:           Version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			format, err := output.ParseFormat(app.global.format)
			if err != nil {
				return err
			}
			if format == output.Templated && cmd.Annotations[templates] == "" {
				return agent.Errorf(agent.KindUsage, "%s takes no template", cmd.CommandPath()).WithHint("write --format human, json or jsonl")
			}
			app.running, app.command = true, invoked(cmd, args)
			cmd.SetContext(agent.WithPatience(cmd.Context(), app.printer().Wait))
			return nil
		},
	}
	root.SetVersionTemplate("mngr {{.Version}}\n")
	root.SetIn(app.streams.In)
	root.SetOut(app.streams.Out)
	root.SetErr(app.streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		words, _, _ := strings.Cut(err.Error(), ": strconv.") // the package that read a number is no user's business
		return agent.Errorf(agent.KindUsage, "%s", words).WithHint("%s --help", cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVar(&app.global.format, "format", string(output.Human), "how results are written: human, json or jsonl; for list also a template such as '{name} {host.state}'")
	flags.BoolVarP(&app.global.quiet, "quiet", "q", false, "only results and errors")
	flags.BoolVar(&app.global.headless, "headless", false, "never ask and never attach a terminal")
	flags.StringArrayVarP(&app.global.settings, "setting", "S", nil, "set a configuration key for this command (key=value)")

	root.AddGroup(&cobra.Group{ID: "agents", Title: "Agents:"}, &cobra.Group{ID: "setup", Title: "Setup:"})
	for _, c := range []*cobra.Command{
		newCreate(app), newList(app), newCost(app), newExec(app), newConnect(app), newStop(app), newStart(app), newDestroy(app), newGC(app),
		newLabel(app), newRename(app), newSnapshot(), newEvents(app),
	} {
		c.GroupID = "agents"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{newAzure(app, local), newConfig(app), newVersion(app)} {
		c.GroupID = "setup"
		root.AddCommand(c)
	}
	completeFlags(app, root)
	root.SetCompletionCommandGroupID("setup")
	root.SetHelpCommandGroupID("setup")
	return root
}
