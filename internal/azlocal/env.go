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
	return &cobra.Command{
		Use: "env", Args: cobra.NoArgs,
		Short:   "Print what another shell or an empty home needs to use this local Azure",
		Example: `  eval "$(mngr azure local env)"`,
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
			secret, err := os.ReadFile(secretFile)
			if err != nil {
				return &Problem{Cause: "the local Azure has not been started yet", Remedy: "start it with `mngr azure local up`", Err: err}
			}
			for _, pair := range [][2]string{
				{"MNGR_AZLOCAL_DIR", dir}, {"AZURE_AUTHORITY_HOST", inst.Endpoint() + "/"}, {"AZURE_TENANT_ID", inst.Tenant},
				{"AZURE_SUBSCRIPTION_ID", inst.Subscription}, {"AZURE_CLIENT_ID", client}, {"AZURE_CLIENT_SECRET", string(secret)},
				{"ARM_CLOUD_METADATA_URL", inst.Endpoint() + "/metadata/endpoints?api-version=2019-05-01"}, {"REQUESTS_CA_BUNDLE", inst.Path("ca.pem")},
			} {
				fmt.Fprintf(cmd.OutOrStdout(), "export %s=%s\n", pair[0], quote(pair[1]))
			}
			return nil
		},
	}
}

// quote makes a word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
