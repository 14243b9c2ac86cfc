package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/azure/permission"
	"mngr/internal/config"
	"mngr/internal/output"
)

type permissionFlags struct {
	provider, subscription, group string

	portal       bool
	withoutRoles bool
	existing     bool
}

func newPermissions(app *App) *cobra.Command {
	var flags permissionFlags
	cmd := &cobra.Command{
		Use:   "permissions [prepare|cleanup|daily|lookups]",
		Short: "Print the least rights that mngr needs, as role definitions",
		Long: `Print the least rights that a part of mngr needs, as a role definition for
` + "`az role definition create`" + `; how it is made and given to somebody goes to standard error.
Without a part, list the parts. It asks nobody, and needs no login.

  prepare  makes the group, its network and the role of idle machines; in the subscription
  cleanup  removes them; in the subscription
  daily    create, list, connect, exec, stop, start, destroy … ; in the resource group
  lookups  reading in the subscription that daily use can do without`,
		Example: `  mngr azure permissions
  mngr azure permissions daily > role.json && az role definition create --role-definition @role.json
  mngr azure permissions prepare --without-roles --subscription-id 12345678-1234-1234-1234-123456789abc
  mngr azure permissions daily --portal > role.json   # for the portal's "Start from JSON"`,
		ValidArgs: []string{permission.Prepare, permission.Cleanup, permission.Daily, permission.Lookups},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return agent.Errorf(agent.KindUsage, "a role is printed for one part, and %d are named", len(args)).WithHint("%s --help", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPermissions(cmd.Context(), app, flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.provider, "provider", "azure", "provider instance whose settings are used")
	f.StringVar(&flags.subscription, "subscription-id", "", "subscription (default: the instance's, else the login's)")
	f.StringVar(&flags.group, "resource-group", "", "resource group (default: the instance's)")
	f.BoolVar(&flags.portal, "portal", false, `write the role as the portal takes it ("Start from JSON")`)
	f.BoolVar(&flags.withoutRoles, "without-roles", false, "leave out what makes and assigns roles: machines then do not stop themselves when idle")
	f.BoolVar(&flags.existing, "use-existing-group", false, "for a resource group that mngr did not make: rights in the group alone")
	return cmd
}

// rights is a role to be printed, with the words around it.
type rights struct {
	at      permission.Place
	options permission.Options
	self    string // GUID of the role that machines get
	again   string // the command that prints it
}

func runPermissions(ctx context.Context, app *App, flags permissionFlags, args []string) error {
	part, known := permission.Part{}, true
	if len(args) == 1 {
		part, known = permission.Find(args[0])
	}
	if !known {
		return agent.Errorf(agent.KindUsage, "there is no part %q", args[0]).WithHint("parts are prepare, cleanup, daily and lookups")
	}
	if len(args) == 0 && flags.portal {
		return agent.Errorf(agent.KindUsage, "--portal is about one role").WithHint("mngr azure permissions daily --portal")
	}
	r, err := flags.rights(ctx, app, args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return app.printParts(r)
	}
	var role any = part.Role(r.at, r.options)
	if flags.portal {
		role = part.Role(r.at, r.options).Portal()
	}
	for _, line := range part.Usage(r.at, r.options, r.self, r.again+" "+part.Name) {
		app.printer().Note("%s", line)
	}
	return app.printer().Emit(output.Result{Event: "role", Data: role, Human: func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(role)
	}})
}

// rights finds out for which place the roles are to be. A subscription that nobody knows is
// no obstacle: its place is marked, and said.
func (f permissionFlags) rights(ctx context.Context, app *App, args []string) (rights, error) {
	instance := instanceFlags{provider: f.provider, subscription: f.subscription, group: f.group}
	p, provider, err := instance.openIf(app, (*config.Config).Provider) // nobody is asked
	if err != nil {
		return rights{}, err
	}
	subscription, err := provider.Subscription(ctx)
	if err != nil {
		app.printer().Warn("no subscription is known: put the id of yours in the place of "+permission.NoSubscription,
			f.withID().whole(args))
	}
	return rights{
		at:      permission.Place{Subscription: subscription, ResourceGroup: p.ResourceGroup},
		options: permission.Options{WithoutRoles: f.withoutRoles, UseExistingGroup: f.existing || p.UseExistingGroup},
		self:    azure.SelfStopRole(subscription), again: f.command(),
	}, nil
}

// command is this very command, without its part.
func (f permissionFlags) command() string {
	words := []string{"mngr azure permissions"}
	for _, o := range []struct{ flag, value, usual string }{
		{"--provider", f.provider, "azure"}, {"--subscription-id", f.subscription, ""}, {"--resource-group", f.group, ""},
	} {
		if o.value != o.usual {
			words = append(words, o.flag, o.value)
		}
	}
	for _, o := range []struct {
		flag string
		on   bool
	}{{"--without-roles", f.withoutRoles}, {"--use-existing-group", f.existing}} {
		if o.on {
			words = append(words, o.flag)
		}
	}
	return strings.Join(words, " ")
}

// withID leaves the subscription to be filled in.
func (f permissionFlags) withID() permissionFlags {
	f.subscription = "ID"
	return f
}

// whole is this very command, with its part.
func (f permissionFlags) whole(args []string) string {
	words := append([]string{f.command()}, args...)
	if f.portal {
		words = append(words, "--portal")
	}
	return strings.Join(words, " ")
}

// partRow is a part as JSON shows it.
type partRow struct {
	Part  string          `json:"part"`
	About string          `json:"about"`
	Role  permission.Role `json:"role"`
}

func (a *App) printParts(r rights) error {
	rows := []partRow{}
	for _, p := range permission.Parts() {
		rows = append(rows, partRow{p.Name, p.Work(r.options), p.Role(r.at, r.options)})
	}
	return a.printer().Emit(output.Result{Event: "parts", Data: map[string]any{"parts": rows}, Human: func(w io.Writer) error {
		for _, row := range rows {
			if _, err := fmt.Fprintf(w, "%-8s  %s\n          role %s, %d actions, at %s\n", row.Part, row.About, row.Role.Name, len(row.Role.Actions), row.Role.AssignableScopes[0]); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(w, "\nA role as JSON: %s daily\n", r.again)
		return err
	}})
}
