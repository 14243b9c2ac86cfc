package azlocal

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newPrincipal() *cobra.Command {
	cmd := &cobra.Command{
		Use: "principal", Args: cobra.NoArgs,
		Short: "Make service principals with rights of their own, and take rights away",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPrincipalAdd(), newPrincipalList(), newPrincipalRemove(), newPrincipalDeny(),
		newPrincipalAct(actRevoke, "Revoke the tokens that a principal has",
			`Revoke the access tokens that a principal has. ARM answers a client that takes up claims
challenges (Microsoft's SDKs do) with such a challenge, and its next token is good again; the
tokens of other clients stay good until they expire, as on Azure. The instance's own principal
is called owner.`, "%s's tokens are revoked\n"),
		newPrincipalAct(actRotate, "Give a principal another secret",
			"Give a principal another secret, in the file of the old one, which is refused from now on.", "%s has another secret; the old one is refused\n"),
		newPrincipalAct(actExpire, "Let a principal's secret expire",
			"Let a principal's secret expire. `principal rotate` gives it another one.", "%s's secret has expired\n"))
	return cmd
}

func newPrincipalAdd() *cobra.Command {
	var g grant
	cmd := &cobra.Command{
		Use: "add NAME --role ROLE", Args: cobra.ExactArgs(1),
		Short: "Make a service principal with roles, or give it more",
		Long: `Make a service principal with roles, or give the one of that name more roles. It prints
the client id, where the secret is, and a directory: whoever has that as MNGR_AZLOCAL_DIR
uses this local Azure with the principal's rights.`,
		Example: "  mngr azure local principal add colleague --role Contributor --scope mngr\n  mngr azure local principal add auditor --role Reader --role 'Tag Contributor'",
	}
	cmd.Flags().StringArrayVar(&g.Roles, "role", nil, "role by name or GUID, such as Contributor or Reader; repeatable")
	cmd.Flags().StringVar(&g.Scope, "scope", "", "where: an id or a resource group's name (default: the subscription)")
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g.Name = args[0]
		if len(g.Roles) == 0 {
			return &Problem{Cause: "which role the principal gets is not said", Remedy: "add --role Contributor or --role Reader", Misuse: true}
		}
		if err := ask(cmd, "POST", "/principals", g, &g); err != nil {
			return err
		}
		return emit(cmd.OutOrStdout(), *format, g, []grant{g}, g.print)
	}
	return cmd
}

func (g grant) print(w io.Writer) error {
	what := "the role " + g.Roles[0]
	if len(g.Roles) > 1 {
		what = "the roles " + strings.Join(g.Roles, ", ")
	}
	_, err := fmt.Fprintf(w, "%s has %s at %s\nclient id    %s\nobject id    %s\nsecret in    %s\ndirectory    %s\n",
		g.Name, what, g.Scope, g.ClientID, g.ObjectID, g.SecretFile, g.Dir)
	return err
}

func newPrincipalList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Args: cobra.NoArgs,
		Short: "List the service principals and their roles",
	}
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var all principalList
		if err := ask(cmd, "GET", "/principals", nil, &all); err != nil {
			return err
		}
		return emit(cmd.OutOrStdout(), *format, all, all.Principals, all.print)
	}
	return cmd
}

func (l principalList) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tRIGHT\tSCOPE\tCLIENT ID\tNOTE")
	for _, p := range l.Principals {
		note := ""
		if p.SecretExpired {
			note = "secret expired"
		}
		if len(p.Assignments)+len(p.Denied) == 0 {
			fmt.Fprintf(t, "%s\tnone\t\t%s\t%s\n", p.Name, p.ClientID, note)
		}
		for _, a := range p.Assignments {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", p.Name, a.Role, a.Scope, p.ClientID, note)
		}
		for _, d := range p.Denied {
			fmt.Fprintf(t, "%s\tdenied: %s\t%s\t%s\t%s\n", p.Name, strings.Join(d.Actions, " "), d.Scope, p.ClientID, note)
		}
	}
	return t.Flush()
}

func newPrincipalRemove() *cobra.Command {
	var a act
	cmd := &cobra.Command{
		Use: "remove NAME [--role ROLE]", Args: cobra.ExactArgs(1),
		Short: "Remove a service principal, or take roles from it",
		Long: `Remove a service principal: it gets no more tokens. Its role assignments stay, as on Azure.
With --role only these roles are taken from it.`,
		Example: "  mngr azure local principal remove colleague --role Contributor --scope mngr\n  mngr azure local principal remove colleague",
	}
	cmd.Flags().StringArrayVar(&a.Roles, "role", nil, "a role to take away, by name or GUID; repeatable")
	cmd.Flags().StringVar(&a.Scope, "scope", "", "where the principal has the role: an id or a resource group's name (default: the subscription)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(a.Roles) == 0 {
			if a.Scope != "" {
				return &Problem{Cause: "which role goes at " + a.Scope + " is not said", Remedy: "add --role, or leave --scope out to remove the principal", Misuse: true}
			}
			return askAct(cmd, args[0], actRemove, a, "%s is removed\n")
		}
		return askAct(cmd, args[0], actWithdraw, a, "%s has lost "+strings.ReplaceAll(strings.Join(a.Roles, ", "), "%", "%%")+"\n")
	}
	return cmd
}

func newPrincipalDeny() *cobra.Command {
	var a act
	var clear bool
	cmd := &cobra.Command{
		Use: "deny NAME --action ACTION", Args: cobra.ExactArgs(1),
		Short: "Deny actions to a principal, whatever roles it has",
		Long: `Deny actions to a principal by a deny assignment, which wins over every role. On Azure
only the platform makes those, for managed applications and deployment stacks.`,
		Example: "  mngr azure local principal deny colleague --action 'Microsoft.Network/*/write' --scope mngr\n  mngr azure local principal deny colleague --clear",
	}
	cmd.Flags().StringArrayVar(&a.Actions, "action", nil, "an action, * for any run of characters; repeatable")
	cmd.Flags().StringVar(&a.Scope, "scope", "", "where: an id or a resource group's name (default: the subscription)")
	cmd.Flags().BoolVar(&clear, "clear", false, "remove the principal's deny assignments")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case clear == (len(a.Actions) > 0):
			return &Problem{Cause: "either --action or --clear is needed", Remedy: cmd.CommandPath() + " --help", Misuse: true}
		case clear:
			return askAct(cmd, args[0], actUndeny, a, "nothing is denied to %s any more\n")
		}
		return askAct(cmd, args[0], actDeny, a, "the actions are denied to %s\n")
	}
	return cmd
}

func newPrincipalAct(name, short, long, done string) *cobra.Command {
	return &cobra.Command{
		Use: name + " NAME", Args: cobra.ExactArgs(1), Short: short, Long: long,
		RunE: func(cmd *cobra.Command, args []string) error { return askAct(cmd, args[0], name, act{}, done) },
	}
}

// askAct has one act done on a principal and says so.
func askAct(cmd *cobra.Command, name, what string, a act, done string) error {
	if err := ask(cmd, "POST", "/principals/"+url.PathEscape(name)+"/"+what, a, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.ErrOrStderr(), done, name)
	return err
}
