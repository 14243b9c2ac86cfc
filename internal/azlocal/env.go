package azlocal

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/instance"
)

func newEnv() *cobra.Command {
	var public, hosts bool
	cmd := &cobra.Command{
		Use: "env", Args: cobra.NoArgs,
		Short: "Print what another shell or an empty home needs to use this local Azure",
		Long: `Print what another shell or an empty home needs to use this local Azure.

--public is for clients that know Azure's own names alone: it needs the instance to listen
under them, and a hosts file that leads them to it.`,
		Example: `  eval "$(mngr azure local env)"
  mngr azure local up --listen 127.0.0.1:443 --name management.azure.com --name login.microsoftonline.com
  mngr azure local env --hosts >> /etc/hosts
  eval "$(mngr azure local env --public)"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inst, err := load()
			if errors.Is(err, instance.ErrNone) {
				return &Problem{Cause: "there is no local Azure", Remedy: "start one with `mngr azure local up`", Err: err}
			}
			if err != nil {
				return err
			}
			dir, client, secretFile := inst.Dir, inst.ClientID, inst.Path("client_secret")
			if p, ok := instance.Acting(); ok {
				dir, client, secretFile = p.Dir, p.ClientID, p.SecretFile()
			}
			if hosts || public {
				if err := checkPublic(inst); err != nil {
					return err
				}
			}
			if hosts {
				fmt.Fprintln(cmd.OutOrStdout(), strings.Join(inst.Faces.Hosts(), "\n"))
				return nil
			}
			secret, err := os.ReadFile(secretFile)
			if err != nil {
				return &Problem{Cause: "the local Azure has not been started yet", Remedy: "start it with `mngr azure local up`", Err: err}
			}
			pairs := [][2]string{
				{"AZURE_TENANT_ID", inst.Tenant}, {"AZURE_SUBSCRIPTION_ID", inst.Subscription}, {"AZURE_CLIENT_ID", client},
				{"AZURE_CLIENT_SECRET", string(secret)}, {"REQUESTS_CA_BUNDLE", inst.Path("ca.pem")},
			}
			if public {
				fmt.Fprintln(cmd.OutOrStdout(), "unset AZURE_AUTHORITY_HOST ARM_CLOUD_METADATA_URL")
				pairs = append(pairs, [2]string{"SSL_CERT_FILE", inst.Path("ca.pem")}, [2]string{"CURL_CA_BUNDLE", inst.Path("ca.pem")})
			} else {
				pairs = append(pairs, [2]string{"MNGR_AZLOCAL_DIR", dir}, [2]string{"AZURE_AUTHORITY_HOST", inst.Endpoint() + "/"},
					[2]string{"ARM_CLOUD_METADATA_URL", inst.Endpoint() + "/metadata/endpoints?api-version=2019-05-01"})
			}
			for _, pair := range pairs {
				fmt.Fprintf(cmd.OutOrStdout(), "export %s=%s\n", pair[0], quote(pair[1]))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&public, "public", false, "for clients that know Azure's own names alone")
	cmd.Flags().BoolVar(&hosts, "hosts", false, "print the lines of the hosts file for them instead")
	return cmd
}

// checkPublic refuses what has no names, or a port at which nobody looks for them.
func checkPublic(inst *instance.Instance) error {
	again := "`mngr azure local down`, then `mngr azure local up --listen 127.0.0.1:443 --name " + azureARM + " --name " + azureLogin + "`"
	if len(inst.Faces.Hosts()) == 0 {
		return &Problem{Cause: "this local Azure is not reached by names of Azure", Remedy: again}
	}
	if inst.Faces.Origin(azureARM) != "https://"+azureARM {
		return &Problem{Cause: fmt.Sprintf("it listens at %s, and clients look for Azure's names at port 443", inst.Faces.Listen[0]), Remedy: again}
	}
	return nil
}

// quote makes a word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
