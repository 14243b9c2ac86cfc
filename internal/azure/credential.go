package azure

import (
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// newCredential logs in where the place says. A real cloud takes whatever login the
// SDK's default chain finds, and nothing from a settings file; the local Azure takes its
// own service principal only, because the chain would probe the metadata address of the
// host it runs on.
func newCredential(p *place, line *contact) (azcore.TokenCredential, error) {
	opts := azcore.ClientOptions{Cloud: p.cloud, Transport: line}
	if p.local != nil {
		secret, err := p.local.secret()
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientSecretCredential(p.local.TenantID, p.local.ClientID, secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: opts, DisableInstanceDiscovery: true})
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: opts,
		// Microsoft's list of authorities knows nothing of a cloud of one's own, and is out
		// of reach from many of them.
		DisableInstanceDiscovery: p.private,
	})
}

// Kinds of login whose tokens may be kept on disk.
const (
	kindEnvironment = "environment" // a service principal in the environment
	kindDeveloper   = "developer"   // az's session
)

// keptKind tells which login the default chain will come to, as far as that decides
// whether its tokens may be kept: "" for the identity that a platform gives to a machine
// or a pod, and for developer tools whose state we do not know.
func keptKind() string {
	service, developer := true, true
	switch folded(os.Getenv("AZURE_TOKEN_CREDENTIALS")) {
	case "":
	case "prod", "environmentcredential":
		developer = false
	case "dev", "azureclicredential":
		service = false
	default:
		return ""
	}
	switch {
	case service && len(missingFromEnvironment()) == 0:
		return kindEnvironment
	case !developer, service && platformIdentity():
		return ""
	}
	return kindDeveloper
}

// platformIdentity tells whether the environment offers an identity that the chain takes
// before it asks az.
func platformIdentity() bool {
	for _, name := range []string{"AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// missingFromEnvironment lists what a service principal in the environment lacks; nothing
// when it is complete.
func missingFromEnvironment() []string {
	var missing []string
	for _, name := range []string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID"} {
		if os.Getenv(name) == "" {
			missing = append(missing, name)
		}
	}
	switch {
	case os.Getenv("AZURE_CLIENT_SECRET") != "", os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH") != "":
	case os.Getenv("AZURE_USERNAME") != "" && os.Getenv("AZURE_PASSWORD") != "":
	default:
		missing = append(missing, "AZURE_CLIENT_SECRET")
	}
	return missing
}
