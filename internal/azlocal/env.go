package azlocal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/instance"
)

func newEnv() *cobra.Command {
	cmd := &cobra.Command{
		Use: "env", Args: cobra.NoArgs,
		Short: "Print what another shell or an empty home needs to use this local Azure",
		Long: `Print, as exports of a shell, what another shell or an empty home needs to use this local
Azure: mngr, Microsoft's az and SDKs, Terraform, curl. The client secret is among it.

az logs in with: az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET"
--tenant "$AZURE_TENANT_ID", after: az cloud set -n AzureLocal. SDKs are given the endpoint
and the authority, and told to do no instance discovery.`,
		Example: `  eval "$(mngr azure local env)"`,
	}
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		inst, err := load()
		if errors.Is(err, instance.ErrNone) {
			return &Problem{Cause: "there is no local Azure", Remedy: "start one with `mngr azure local up`", Err: err}
		}
		if err != nil {
			return err
		}
		pairs, err := environment(inst)
		if err != nil {
			return err
		}
		all := map[string]string{}
		for _, pair := range pairs {
			all[pair[0]] = pair[1]
		}
		return emit(cmd.OutOrStdout(), *format, all, []map[string]string{all}, func(w io.Writer) error {
			for _, pair := range pairs {
				if _, err := fmt.Fprintf(w, "export %s=%s\n", pair[0], quote(pair[1])); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return cmd
}

// environment lists the variables by which clients find an instance, as the principal
// whose directory is set.
func environment(inst *instance.Instance) ([][2]string, error) {
	dir, client, secretFile := inst.Dir, inst.ClientID, inst.Path("client_secret")
	if p, ok := instance.Acting(); ok {
		dir, client, secretFile = p.Dir, p.ClientID, p.SecretFile()
	}
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		return nil, &Problem{Cause: "the local Azure has not been started yet", Remedy: "start it with `mngr azure local up`", Err: err}
	}
	c, host := inst.Client(), strings.TrimPrefix(inst.Endpoint(), "https://")
	bundle := inst.Path(instance.BundleFile)
	return [][2]string{
		{"MNGR_AZLOCAL_DIR", dir},
		// Azure Identity of every language.
		{"AZURE_AUTHORITY_HOST", c.Authority + "/"}, {"AZURE_TENANT_ID", c.TenantID}, {"AZURE_SUBSCRIPTION_ID", c.SubscriptionID},
		{"AZURE_CLIENT_ID", client}, {"AZURE_CLIENT_SECRET", string(secret)}, {"AZURE_RESOURCE_MANAGER_ENDPOINT", c.Endpoint},
		// az, and Terraform's provider.
		{"AZURE_CONFIG_DIR", filepath.Join(dir, "az")}, {"ARM_CLOUD_METADATA_URL", c.Endpoint + "/metadata/endpoints?api-version=2019-05-01"},
		{"ARM_METADATA_HOSTNAME", host}, {"ARM_TENANT_ID", c.TenantID}, {"ARM_SUBSCRIPTION_ID", c.SubscriptionID},
		{"ARM_CLIENT_ID", client}, {"ARM_CLIENT_SECRET", string(secret)},
		// OpenSSL and Go; Python; curl.
		{"SSL_CERT_FILE", bundle}, {"REQUESTS_CA_BUNDLE", bundle}, {"CURL_CA_BUNDLE", bundle},
	}, nil
}

// quote makes a word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
