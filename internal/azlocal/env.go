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
--tenant "$AZURE_TENANT_ID", after: az cloud set -n AzureLocal (with --profile
2020-09-01-hybrid where az is Debian's 2.45). SDKs are given the endpoint and the authority,
and told to do no instance discovery.

--public is for clients that know Azure's own names alone: it needs the instance to listen
under them, and a hosts file that leads them to it.`,
		Example: `  eval "$(mngr azure local env)"
  mngr azure local up --listen 127.0.0.1:443 --name management.azure.com --name login.microsoftonline.com
  mngr azure local env --hosts >> /etc/hosts
  eval "$(mngr azure local env --public)"`,
	}
	format := formatFlag(cmd)
	public := cmd.Flags().Bool("public", false, "for clients that know Azure's own names alone")
	hosts := cmd.Flags().Bool("hosts", false, "print the lines of the hosts file for them instead")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		inst, err := load()
		if errors.Is(err, instance.ErrNone) {
			return &Problem{Cause: "there is no local Azure", Remedy: "mngr azure local up # starts one", Err: err}
		}
		if err != nil {
			return err
		}
		if *hosts || *public {
			if err := checkPublic(inst); err != nil {
				return err
			}
		}
		if *hosts {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), strings.Join(inst.Faces.Hosts(), "\n"))
			return err
		}
		pairs, err := environment(inst, *public)
		if err != nil {
			return err
		}
		return printEnvironment(cmd.OutOrStdout(), *format, pairs)
	}
	return cmd
}

// checkPublic refuses what has no names, or a port at which nobody looks for them.
func checkPublic(inst *instance.Instance) error {
	again := "mngr azure local down # then: mngr azure local up --listen 127.0.0.1:443 --name " + azureARM + " --name " + azureLogin
	if len(inst.Faces.Hosts()) == 0 {
		return &Problem{Cause: "this local Azure is not reached by names of Azure", Remedy: again}
	}
	if inst.Faces.Origin(azureARM) != "https://"+azureARM {
		return &Problem{Cause: fmt.Sprintf("it listens at %s, and clients look for Azure's names at port 443", inst.Faces.Listen[0]), Remedy: again}
	}
	return nil
}

// environment lists the variables by which clients find an instance, as the principal whose
// directory is set. One without a value must not be set.
func environment(inst *instance.Instance, public bool) ([][2]string, error) {
	dir, client, secretFile := inst.Dir, inst.ClientID, inst.Path("client_secret")
	if p, ok := instance.Acting(); ok {
		dir, client, secretFile = p.Dir, p.ClientID, p.SecretFile()
	}
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		return nil, &Problem{Cause: "the local Azure has not been started yet", Remedy: "mngr azure local up # starts it", Err: err}
	}
	config := filepath.Join(dir, "az")
	if err := os.MkdirAll(config, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of az: %w", err) // az does not, where it finds its cloud by ARM_CLOUD_METADATA_URL
	}
	c, bundle := inst.Client(), inst.Path(instance.BundleFile)
	pairs := [][2]string{
		{"MNGR_AZLOCAL_DIR", dir},
		// Azure Identity of every language; az; Terraform's provider.
		{"AZURE_TENANT_ID", c.TenantID}, {"AZURE_SUBSCRIPTION_ID", c.SubscriptionID}, {"AZURE_CLIENT_ID", client}, {"AZURE_CLIENT_SECRET", string(secret)},
		{"AZURE_CONFIG_DIR", config},
		{"ARM_TENANT_ID", c.TenantID}, {"ARM_SUBSCRIPTION_ID", c.SubscriptionID}, {"ARM_CLIENT_ID", client}, {"ARM_CLIENT_SECRET", string(secret)},
		// OpenSSL and Go; Python; curl.
		{"SSL_CERT_FILE", bundle}, {"REQUESTS_CA_BUNDLE", bundle}, {"CURL_CA_BUNDLE", bundle},
	}
	where := [][2]string{
		{"AZURE_AUTHORITY_HOST", c.Authority + "/"}, {"AZURE_RESOURCE_MANAGER_ENDPOINT", c.Endpoint},
		{"ARM_CLOUD_METADATA_URL", c.Endpoint + "/metadata/endpoints?api-version=2019-05-01"},
		{"ARM_METADATA_HOSTNAME", strings.TrimPrefix(c.Endpoint, "https://")},
	}
	for i := range where {
		if public {
			where[i][1] = ""
		}
	}
	return append(pairs, where...), nil
}

func printEnvironment(w io.Writer, format string, pairs [][2]string) error {
	all := map[string]string{}
	for _, pair := range pairs {
		if pair[1] != "" {
			all[pair[0]] = pair[1]
		}
	}
	return emit(w, format, all, []map[string]string{all}, func(w io.Writer) error {
		for _, pair := range pairs {
			line := fmt.Sprintf("export %s=%s\n", pair[0], quote(pair[1]))
			if pair[1] == "" {
				line = "unset " + pair[0] + "\n"
			}
			if _, err := io.WriteString(w, line); err != nil {
				return err
			}
		}
		return nil
	})
}

// quote makes a word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
