package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/output"
)

type prepareFlags struct {
	instanceFlags
	cidrs     []string
	noIngress bool
	existing  bool
	dryRun    bool
	sources   bool // --allowed-ssh-cidr is given
}

func newPrepare(app *App) *cobra.Command {
	var flags prepareFlags
	cmd := &cobra.Command{
		Use:   "prepare",
		Short: "Make the resource group, network and role that hosts need, once",
		Long: `Make, once, what hosts need: resource providers registered, a resource group, a network
whose security rules admit SSH, and the role with which an idle machine deallocates
itself. A second run writes nothing.

Without --allowed-ssh-cidr and without the setting allowed_ssh_cidrs a new network admits
SSH from everywhere, and an existing one stays as it is; SSH takes keys only. The source
"me" is your own public address, for which the setting my_address_url is asked.

Another region than the instance's gets a network of its own in the same group, for
hosts with -b --azure-region=REGION.`,
		Example: `  mngr azure prepare --allowed-ssh-cidr 203.0.113.4/32
  mngr azure prepare --allowed-ssh-cidr me --dry-run
  mngr azure prepare --region eastus
  mngr azure prepare --provider azure-local`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.sources = cmd.Flags().Changed("allowed-ssh-cidr")
			return runPrepare(cmd.Context(), app, flags)
		},
	}
	flags.bind(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&flags.cidrs, "allowed-ssh-cidr", nil, "source that may reach SSH, or me (repeatable; replaces the configured ones)")
	f.BoolVar(&flags.noIngress, "no-ssh-ingress", false, "let nobody reach SSH from outside the network")
	f.BoolVar(&flags.existing, "use-existing-group", false, "work in a resource group that mngr did not make, and leave the group itself alone")
	f.BoolVar(&flags.dryRun, "dry-run", false, "say what would be made or changed, and change nothing")
	return cmd
}

func runPrepare(ctx context.Context, app *App, flags prepareFlags) error {
	if flags.noIngress && flags.sources {
		return agent.Errorf(agent.KindUsage, "--no-ssh-ingress lets nobody in, and --allowed-ssh-cidr somebody").
			WithHint("give one of the two")
	}
	p, provider, err := flags.open(app)
	if err != nil {
		return err
	}
	o := azure.PrepareOptions{
		Region: flags.region, UseExistingGroup: flags.existing || p.UseExistingGroup, DryRun: flags.dryRun,
	}
	switch {
	case flags.noIngress:
		o.AllowedSSHCIDRs = []string{}
	case flags.sources:
		if o.AllowedSSHCIDRs, err = app.withOwnAddress(ctx, flags.cidrs, p); err != nil {
			return err
		}
	}
	if err := app.ensureLocal(ctx, p); err != nil {
		return err
	}
	app.left.Store(agent.Errorf(agent.KindCanceled, "what prepare has made by now stays, and costs nothing").
		WithHint("mngr azure prepare --provider %s --dry-run # says what is missing; mngr azure prepare goes on, mngr azure cleanup removes it", p.Name))
	var r azure.PrepareResult
	err = app.withProgress(func(phase agent.Progress) (err error) {
		r, err = provider.Prepare(ctx, o, phase)
		return err
	})
	if err != nil {
		return err
	}
	app.printer().WarnAll(r.Warnings)
	for _, o := range flags.overrides() { // create has no such flags
		app.printer().Note("mngr create goes there with: mngr config set %s %s", o.Key, o.Value)
	}
	return app.printer().Emit(output.Result{
		Event: "prepared",
		Data: map[string]any{
			"resource_group": r.ResourceGroup, "region": r.Region, "created": r.Created,
			"subscription_id": r.SubscriptionID, "dry_run": o.DryRun, "parts": r.Parts,
		},
		Human: func(w io.Writer) error {
			if o.DryRun {
				return printPlan(w, r)
			}
			_, err := fmt.Fprintf(w, "Prepared Azure resource group %s in region %s\n", r.ResourceGroup, r.Region)
			return err
		},
	})
}

func printPlan(w io.Writer, r azure.PrepareResult) error {
	nothing := true
	for _, part := range r.Parts {
		if part.Action == azure.Keep {
			continue
		}
		nothing = false
		if _, err := fmt.Fprintln(w, "would", part); err != nil {
			return err
		}
	}
	if !nothing {
		return nil
	}
	_, err := fmt.Fprintf(w, "Nothing to prepare: resource group %s in region %s has all that hosts need\n", r.ResourceGroup, r.Region)
	return err
}
