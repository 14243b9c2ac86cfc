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
		Short:   "Prepare a subscription, clean it up, run the local Azure",
		Example: "  mngr azure prepare --allowed-ssh-cidr 203.0.113.4/32\n  mngr azure cleanup\n  mngr azure local status",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPrepare(app), newCleanup(app))
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

// open returns the instance with the flags in force.
func (f *instanceFlags) open(app *App) (config.Provider, *azure.Provider, error) {
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
	conf, err := app.config(flags...)
	if err != nil {
		return config.Provider{}, nil, err
	}
	p, err := conf.Provider(f.provider)
	if err != nil {
		return config.Provider{}, nil, err
	}
	provider, err := newProvider(conf, p)
	return p, provider, err
}

func newPrepare(app *App) *cobra.Command {
	var flags instanceFlags
	var cidrs []string
	var existing bool
	cmd := &cobra.Command{
		Use:   "prepare",
		Short: "Make the resource group, network and role that hosts need, once",
		Long: `Make, once, what hosts need: resource providers registered, a resource group, a network
whose security rules admit SSH, and the role with which an idle machine deallocates
itself. A second run writes nothing.

Without --allowed-ssh-cidr and without the setting allowed_ssh_cidrs a new network admits
SSH from everywhere; SSH takes keys only.`,
		Example: "  mngr azure prepare --allowed-ssh-cidr 203.0.113.4/32\n  mngr azure prepare --provider azure-local\n  mngr azure prepare --region eastus",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := azure.PrepareOptions{Region: flags.region, UseExistingGroup: existing}
			if cmd.Flags().Changed("allowed-ssh-cidr") {
				o.AllowedSSHCIDRs = cidrs
			}
			return runPrepare(cmd.Context(), app, flags, o)
		},
	}
	flags.bind(cmd)
	cmd.Flags().StringArrayVar(&cidrs, "allowed-ssh-cidr", nil, "source that may reach SSH (repeatable; replaces the configured ones)")
	cmd.Flags().BoolVar(&existing, "use-existing-group", false, "work in a resource group that mngr did not make, and leave the group itself alone")
	return cmd
}

func runPrepare(ctx context.Context, app *App, flags instanceFlags, o azure.PrepareOptions) error {
	p, provider, err := flags.open(app)
	if err != nil {
		return err
	}
	o.UseExistingGroup = o.UseExistingGroup || p.UseExistingGroup
	if err := app.ensureLocal(ctx, p); err != nil {
		return err
	}
	var r azure.PrepareResult
	err = app.withProgress(func(phase agent.Progress) (err error) {
		r, err = provider.Prepare(ctx, o, phase)
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range r.Warnings {
		app.printer().Warn(w, "")
	}
	created := 0
	for _, part := range r.Parts {
		if part.Created {
			created++
		}
	}
	return app.printer().Emit(output.Result{
		Event: "prepared",
		Data: map[string]any{
			"resource_group": r.ResourceGroup, "region": r.Region, "created": r.Created,
			"subscription_id": r.SubscriptionID, "parts": r.Parts,
		},
		Human: func(w io.Writer) error {
			what := "everything was there already"
			if created > 0 {
				what = fmt.Sprintf("%d of %d parts are new", created, len(r.Parts))
			}
			_, err := fmt.Fprintf(w, "Prepared Azure resource group %s in region %s: %s\n", r.ResourceGroup, r.Region, what)
			return err
		},
	})
}

func newCleanup(app *App) *cobra.Command {
	var flags instanceFlags
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove what prepare made",
		Long: `Remove what prepare made. It refuses while machines or disks exist, and while the
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
	_, provider, err := flags.open(app)
	if err != nil {
		return err
	}
	var r azure.CleanupResult
	err = app.withProgress(func(phase agent.Progress) (err error) {
		r, err = provider.Cleanup(ctx, dryRun, phase)
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range r.Warnings {
		app.printer().Warn(w, "")
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
			case r.Deleted:
				fmt.Fprintf(w, "Cleaned up Azure resource group %s in region %s\n", r.ResourceGroup, r.Region)
			default:
				fmt.Fprintf(w, "Nothing to clean up in subscription %s\n", r.SubscriptionID)
			}
			return nil
		},
	})
}
