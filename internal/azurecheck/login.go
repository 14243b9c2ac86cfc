package azurecheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const (
	publicARM = "https://management.azure.com"
	scope     = "https://management.azure.com/.default"
)

// tokens returns a bearer token for ARM.
type tokens func(context.Context) (string, error)

// public is the public cloud, with the login that mngr itself would use.
func public() (*arm, error) {
	login, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("log in to Azure: %w", err)
	}
	return &arm{
		endpoint: publicARM, client: &http.Client{Timeout: 70 * time.Second}, poll: 5 * time.Second,
		token: func(ctx context.Context) (string, error) {
			t, err := login.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
			return t.Token, err
		},
	}, nil
}

// localState is what the local Azure writes for its clients.
type localState struct {
	Endpoint     string `json:"endpoint"`
	Authority    string `json:"authority"`
	CAFile       string `json:"ca_file"`
	Tenant       string `json:"tenant_id"`
	ClientID     string `json:"client_id"`
	SecretFile   string `json:"client_secret_file"`
	Driver       string `json:"driver"`
	Subscription string `json:"subscription_id"`
}

// local is the local Azure, which the caller has started.
func local() (*arm, string, error) {
	dir := os.Getenv("MNGR_AZLOCAL_DIR")
	if dir == "" {
		base := os.Getenv("XDG_STATE_HOME")
		if base == "" {
			base = filepath.Join(os.Getenv("HOME"), ".local", "state")
		}
		dir = filepath.Join(base, "mngr", "azlocal")
	}
	text, err := os.ReadFile(filepath.Join(dir, "client.json")) //nolint:gosec // whoever runs it names the directory
	if err != nil {
		return nil, "", fmt.Errorf("find the local Azure (mngr azure local up starts it): %w", err)
	}
	var st localState
	if err := json.Unmarshal(text, &st); err != nil {
		return nil, "", fmt.Errorf("read the local Azure's client.json: %w", err)
	}
	pem, err := os.ReadFile(st.CAFile)
	if err != nil {
		return nil, "", fmt.Errorf("read the local Azure's authority: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Timeout: 70 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	return &arm{endpoint: st.Endpoint, client: client, poll: 4 * time.Millisecond, token: once(st.token(client))}, st.Driver, nil
}

// once remembers a token of an hour for a run that ends sooner on the local Azure.
func once(ask tokens) tokens {
	token := ""
	return func(ctx context.Context) (_ string, err error) {
		if token == "" {
			token, err = ask(ctx)
		}
		return token, err
	}
}

func (st localState) token(client *http.Client) tokens {
	return func(ctx context.Context) (string, error) {
		secret, err := os.ReadFile(st.SecretFile)
		if err != nil {
			return "", err
		}
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {st.ClientID},
			"client_secret": {strings.TrimSpace(string(secret))}, "scope": {scope}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(st.Authority, "/")+"/"+st.Tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
		if err != nil {
			return "", err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		var answer struct {
			Token string `json:"access_token"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
			return "", fmt.Errorf("log in to the local Azure: status %d", resp.StatusCode)
		}
		return answer.Token, nil
	}
}
