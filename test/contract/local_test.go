package contract

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// status is what a stranger may know: the keys that mngr promises, and no other.
type status struct {
	Endpoint         string
	Authority        string
	CAFile           string `json:"ca_file"`
	TenantID         string `json:"tenant_id"`
	SubscriptionID   string `json:"subscription_id"`
	ClientID         string `json:"client_id"`
	ClientSecretFile string `json:"client_secret_file"`
}

// local is a local Azure without machines that lives as long as its test.
type local struct {
	status
	t      testing.TB
	mngr   string
	env    []string
	tap    *tap
	secret string
}

func start(t testing.TB) *local {
	t.Helper()
	path := os.Getenv("MNGR_BIN")
	if path == "" {
		path = "../../bin/mngr"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	l := &local{t: t, mngr: path, env: append(os.Environ(), "HOME="+dir, "MNGR_HOST_DIR="+filepath.Join(dir, "host"), "MNGR_AZLOCAL_DIR="+filepath.Join(dir, "azlocal"))}
	t.Cleanup(func() { l.run("azure", "local", "reset", "--force") })
	l.run("azure", "local", "up", "--driver", "none")
	if err := json.Unmarshal(l.run("azure", "local", "status", "--format", "json"), &l.status); err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(l.ClientSecretFile)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(l.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	wire := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(wire.CloseIdleConnections)
	l.secret, l.tap = strings.TrimSpace(string(secret)), &tap{t: t, wire: wire}
	return l
}

// run is what mngr prints.
func (l *local) run(args ...string) []byte {
	l.t.Helper()
	cmd := exec.Command(l.mngr, args...)
	cmd.Env = l.env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		l.t.Errorf("mngr %s: %v\n%s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out
}

// options are those of every client: no retries, that each refusal is seen.
func (l *local) options() *arm.ClientOptions {
	return &arm.ClientOptions{ClientOptions: policy.ClientOptions{
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: l.Authority, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: l.Endpoint, Audience: "https://management.core.windows.net/"}}},
		Transport: l.tap, Retry: policy.RetryOptions{MaxRetries: -1}}}
}

func (l *local) login(secret string) *azidentity.ClientSecretCredential {
	l.t.Helper()
	return must[*azidentity.ClientSecretCredential](l.t)(azidentity.NewClientSecretCredential(l.TenantID, l.ClientID, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: l.options().ClientOptions, DisableInstanceDiscovery: true}))
}

// id is that of a resource in the group "rg".
func (l *local) id(typeAndName string) *string {
	return new("/subscriptions/" + l.SubscriptionID + "/resourceGroups/rg/providers/" + typeAndName)
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
