package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/config"
	"mngr/internal/output"
)

func newAzure(app *App, local *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "azure",
		Short:   "Prepare a subscription, clean it up, print the rights for it, run the local Azure",
		Example: "  mngr azure prepare --allowed-ssh-cidr 203.0.113.4/32\n  mngr azure cleanup\n  mngr azure permissions daily\n  mngr azure local status",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPrepare(app), newCleanup(app), newPermissions(app))
	if local != nil {
		cmd.AddCommand(local)
	}
	return cmd
}

// instanceFlags override the settings of one provider instance.
type instanceFlags struct {
	provider     string
	subscription string
	region       string
	group        string
}

func (f *instanceFlags) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.provider, "provider", "azure", "provider instance whose settings are used")
	cmd.Flags().StringVar(&f.subscription, "subscription-id", "", "subscription (default: the instance's, else the login's)")
	cmd.Flags().StringVar(&f.region, "region", "", "region (default: the instance's)")
	cmd.Flags().StringVar(&f.group, "resource-group", "", "resource group (default: the instance's)")
}

// overrides are the settings that the flags replace.
func (f *instanceFlags) overrides() []config.Override {
	var flags []config.Override
	for _, o := range []config.Override{
		{Key: "subscription_id", Value: f.subscription, Flag: "--subscription-id"},
		{Key: "resource_group", Value: f.group, Flag: "--resource-group"},
	} {
		if o.Value != "" {
			o.Key = "providers." + f.provider + "." + o.Key
			flags = append(flags, o)
		}
	}
	return flags
}

// open returns the instance with the flags in force, to be worked with.
func (f *instanceFlags) open(app *App) (config.Provider, *azure.Provider, error) {
	return f.openIf(app, (*config.Config).Enabled)
}

// openIf returns the instance that pick finds by its name.
func (f *instanceFlags) openIf(app *App, pick func(*config.Config, string) (config.Provider, error)) (config.Provider, *azure.Provider, error) {
	conf, err := app.config(f.overrides()...)
	if err != nil {
		return config.Provider{}, nil, err
	}
	p, err := pick(conf, f.provider)
	if err != nil {
		return config.Provider{}, nil, err
	}
	provider, err := newProvider(conf, p, app.recorder(conf))
	return p, provider, err
}

func newCleanup(app *App) *cobra.Command {
	var flags instanceFlags
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove what prepare made",
		Long: `Remove what prepare made, in all regions: the resource group, if mngr made it and
everything in it; in a group of somebody else only mngr's own parts. The role of idle
machines goes when nothing in the subscription uses it any more.

It asks nothing, and refuses while machines or disks of agents exist, and while its own
group holds something that mngr did not make.`,
		Example: "  mngr azure cleanup --dry-run\n  mngr azure cleanup",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runCleanup(cmd.Context(), app, flags, dryRun)
		},
	}
	flags.bind(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would go, and change nothing")
	return cmd
}

func runCleanup(ctx context.Context, app *App, flags instanceFlags, dryRun bool) error {
	p, provider, err := flags.open(app)
	if err != nil {
		return err
	}
	app.left.Store(agent.Errorf(agent.KindCanceled, "Azure may go on with what it was told").
		WithHint("mngr azure cleanup --provider %s --dry-run # says what is left; mngr azure cleanup may be repeated", p.Name))
	var r azure.CleanupResult
	err = app.withProgress(func(phase agent.Progress) (err error) {
		r, err = provider.Cleanup(ctx, dryRun, phase)
		return err
	})
	if err != nil {
		return err
	}
	app.printer().WarnAll(r.Warnings)
	for _, n := range r.Notes {
		app.printer().Note("%s", n)
	}
	var group *string
	if r.ResourceGroup != "" {
		group = &r.ResourceGroup
	}
	return app.printer().Emit(output.Result{
		Event: "cleaned_up",
		Data: map[string]any{
			"resource_group": group, "subscription_id": r.SubscriptionID, "region": r.Region,
			"deleted": r.Deleted && !dryRun, "dry_run": dryRun, "actions": append([]string{}, r.Actions...),
		},
		Human: func(w io.Writer) error {
			switch {
			case dryRun && r.Deleted:
				for _, a := range r.Actions {
					fmt.Fprintln(w, "would", a)
				}
			case r.Deleted && r.ResourceGroup != "":
				fmt.Fprintf(w, "Cleaned up Azure resource group %s in region %s\n", r.ResourceGroup, r.Region)
			case r.Deleted:
				fmt.Fprintf(w, "Cleaned up what mngr had left in subscription %s\n", r.SubscriptionID)
			default:
				fmt.Fprintf(w, "Nothing to clean up: no mngr-owned resource group in subscription %s\n", r.SubscriptionID)
			}
			return nil
		},
	})
}
