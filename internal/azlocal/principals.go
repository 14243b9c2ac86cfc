package azlocal

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/rbac"
)

// grant asks for a principal with a role; the answer has the rest.
type grant struct {
	Name       string `json:"name"`
	Role       string `json:"role"`
	Scope      string `json:"scope"`
	ClientID   string `json:"client_id,omitempty"`
	ObjectID   string `json:"object_id,omitempty"`
	SecretFile string `json:"client_secret_file,omitempty"`
	Dir        string `json:"dir,omitempty"`
}

// login lets a principal ask for tokens.
func (s *Server) login(p instance.Principal) error {
	secret, err := p.Secret()
	if err == nil {
		s.know(secret, p.ClientID, p.ObjectID)
		s.names.Store(p.ObjectID, p.Name)
	}
	return err
}

// addPrincipal makes a principal, or gives one that exists another role.
func (s *Server) addPrincipal(r *http.Request) (any, error) {
	g, err := read[grant](r)
	if err != nil {
		return nil, err
	}
	if g.Scope, err = s.scope(g.Scope); err != nil {
		return nil, err
	}
	role := ""
	s.world.View(func(t *fabric.Tx) { role = rbac.FindRole(t, g.Role) })
	if role == "" {
		return nil, fmt.Errorf("there is no role %q", g.Role)
	}
	p, err := s.inst.AddPrincipal(g.Name)
	if err == nil {
		err = s.login(p)
	}
	if err == nil {
		err = s.world.Update(func(t *fabric.Tx) error {
			rbac.Grant(t, arm.Principal{ObjectID: p.ObjectID}, role, g.Scope)
			return nil
		})
	}
	g.ClientID, g.ObjectID, g.SecretFile, g.Dir = p.ClientID, p.ObjectID, p.SecretFile(), p.Dir
	return g, err
}

// scope is what a user means: an id, a resource group's name, or the subscription.
func (s *Server) scope(given string) (string, error) {
	subscription := "/subscriptions/" + s.inst.Subscription
	switch {
	case given == "":
		return subscription, nil
	case !strings.Contains(given, "/"):
		return subscription + "/resourceGroups/" + given, nil
	case !arm.Within(given, subscription):
		return "", fmt.Errorf("the scope %s is not in the subscription %s", given, s.inst.Subscription)
	}
	return strings.TrimRight(given, "/"), nil
}

func newPrincipal() *cobra.Command {
	cmd := &cobra.Command{
		Use: "principal", Args: cobra.NoArgs,
		Short: "Make service principals with fewer rights than your own",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPrincipalAdd())
	return cmd
}

func newPrincipalAdd() *cobra.Command {
	var g grant
	cmd := &cobra.Command{
		Use: "add NAME --role ROLE", Args: cobra.ExactArgs(1),
		Short: "Make a service principal with a role, or give it another one",
		Long: `Make a service principal with a role, or give the one of that name another role. It
prints the client id, where the secret is, and a directory: whoever has that as
MNGR_AZLOCAL_DIR uses this local Azure with the principal's rights.`,
		Example: "  mngr azure local principal add colleague --role Contributor --scope mngr\n  mngr azure local principal add auditor --role Reader",
	}
	cmd.Flags().StringVar(&g.Role, "role", "", "role by name or GUID, such as Contributor or Reader")
	cmd.Flags().StringVar(&g.Scope, "scope", "", "where: an id or a resource group's name (default: the subscription)")
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		g.Name = args[0]
		if g.Role == "" {
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
	_, err := fmt.Fprintf(w, "%s has the role %s at %s\nclient id    %s\nobject id    %s\nsecret in    %s\ndirectory    %s\n",
		g.Name, g.Role, g.Scope, g.ClientID, g.ObjectID, g.SecretFile, g.Dir)
	return err
}
