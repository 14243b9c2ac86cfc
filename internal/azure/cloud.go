package azure

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"mngr/internal/agent"
)

// armAudience is what ARM of the public cloud and of the local one accept in tokens.
const armAudience = "https://management.core.windows.net/"

// place is a cloud as a client needs it.
type place struct {
	cloud  cloud.Configuration
	client *http.Client // nil for the SDK's own
	ca     []byte       // PEM of a private authority, else nil
	local  *localState  // only for CloudLocal
}

func (s Settings) place() (*place, error) {
	switch s.Cloud {
	case CloudUSGov:
		return &place{cloud: cloud.AzureGovernment}, nil
	case CloudChina:
		return &place{cloud: cloud.AzureChina}, nil
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
		p.local = local
		return p, nil
	default:
		return &place{cloud: cloud.AzurePublic}, nil
	}
}

func customPlace(e Endpoints) (*place, error) {
	if e.ResourceManager == "" || e.Authority == "" {
		return nil, agent.Errorf(agent.KindUsage, "a cloud of its own needs the endpoints of ARM and of Entra")
	}
	if e.Audience == "" {
		e.Audience = armAudience
	}
	p := &place{cloud: cloud.Configuration{
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
		return nil, fmt.Errorf("read the cloud's certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, agent.Errorf(agent.KindUsage, "%s holds no certificate", e.CAFile)
	}
	p.ca = pem
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	p.client = &http.Client{Transport: transport}
	return p, nil
}

// arm returns the endpoint and the audience of Resource Manager.
func (p *place) arm() cloud.ServiceConfiguration {
	return p.cloud.Services[cloud.ResourceManager]
}
