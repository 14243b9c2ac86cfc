package azure

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"mngr/internal/agent"
)

// armAudience is what ARM of the public cloud and of the local one accept in tokens.
const armAudience = "https://management.core.windows.net/"

// place is a cloud as a client needs it.
type place struct {
	cloud   cloud.Configuration
	client  *http.Client
	retail  string      // URL of the Retail Prices API; "" where none has the cloud's prices
	azName  string      // how az calls it; "" where az need not know it
	private bool        // a cloud that Microsoft's list of authorities does not have
	ca      []byte      // PEM of a private authority, else nil
	local   *localState // only for CloudLocal
}

func (s Settings) place() (*place, error) {
	switch s.Cloud {
	case CloudUSGov:
		return &place{cloud: cloud.AzureGovernment, azName: "AzureUSGovernment", client: newClient(nil)}, nil
	case CloudChina:
		return &place{cloud: cloud.AzureChina, azName: "AzureChinaCloud", client: newClient(nil)}, nil
	case CloudCustom:
		return customPlace(s.Endpoints)
	case CloudLocal:
		local, err := readLocalState(s.LocalDir)
		if err != nil {
			return nil, err
		}
		p, err := customPlace(Endpoints{ResourceManager: local.Endpoint, Authority: local.Authority, CAFile: local.CAFile})
		if err != nil {
			return nil, err
		}
		p.local, p.retail = local, trimSlash(local.Endpoint)+retailPath
		return p, nil
	default:
		return &place{cloud: cloud.AzurePublic, azName: "AzureCloud", retail: publicRetail, client: newClient(nil)}, nil
	}
}

func customPlace(e Endpoints) (*place, error) {
	if e.ResourceManager == "" || e.Authority == "" {
		return nil, agent.Errorf(agent.KindUsage, "a cloud of its own needs the endpoints of ARM and of Entra").
			WithHint("set resource_manager and authority in the table cloud of the provider instance")
	}
	if e.Audience == "" {
		e.Audience = armAudience
	}
	p := &place{private: true, retail: e.RetailPrices, client: newClient(nil), cloud: cloud.Configuration{
		ActiveDirectoryAuthorityHost: e.Authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: e.ResourceManager, Audience: e.Audience},
		},
	}}
	if e.CAFile == "" {
		return p, nil
	}
	pem, err := os.ReadFile(e.CAFile)
	if err != nil {
		return nil, agent.Errorf(agent.KindUsage, "read the cloud's certificate authority: %w", err).
			WithHint("cloud.ca_file of the provider instance names a PEM file")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, agent.Errorf(agent.KindUsage, "%s holds no certificate", e.CAFile).
			WithHint("cloud.ca_file of the provider instance names a PEM file")
	}
	p.ca, p.client = pem, newClient(roots)
	return p, nil
}

// newClient trusts the given authorities, nil for the system's.
func newClient(roots *x509.CertPool) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}
}

// arm returns the endpoint and the audience of Resource Manager.
func (p *place) arm() cloud.ServiceConfiguration {
	return p.cloud.Services[cloud.ResourceManager]
}

// scope is what tokens for Resource Manager are asked for. An audience that ends in a
// slash gives two: ARM's tokens are made for it with the slash.
func (p *place) scope() string { return p.arm().Audience + "/.default" }
