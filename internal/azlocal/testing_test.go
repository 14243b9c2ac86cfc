package azlocal

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"crypto/tls"
	"crypto/x509"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/none"
)

// local is a local Azure in the test's process, reached over HTTPS.
type local struct {
	t      testing.TB
	inst   *instance.Instance
	server *Server
	driver machine.Driver
}

// startLocal runs a local Azure with switches until the test ends.
func startLocal(t testing.TB, switches map[string]string) *local {
	t.Helper()
	inst, err := instance.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	inst.Driver, inst.Switches = "none", switches
	l := &local{t: t, inst: inst, driver: none.New()}
	l.open(false)
	t.Cleanup(func() {
		if err := l.server.close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *local) open(restart bool) {
	l.t.Helper()
	server, err := newServer(l.inst, slog.New(slog.DiscardHandler))
	if err != nil {
		l.t.Fatal(err)
	}
	if err := server.start(l.t.Context(), l.driver, restart); err != nil {
		l.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	l.inst.Port = ln.Addr().(*net.TCPAddr).Port
	server.ServeARM(ln)
	l.server = server
}

// client trusts the instance's own authority and nothing else.
func (l *local) client() *http.Client {
	l.t.Helper()
	pem, err := os.ReadFile(l.inst.Path("ca.pem"))
	if err != nil {
		l.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	l.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 30 * time.Second}
}

func (l *local) cloud() cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: l.inst.Endpoint() + "/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {
			Endpoint: l.inst.Endpoint(), Audience: "https://management.core.windows.net/"}},
	}
}

// options are those of SDK clients.
func (l *local) options() *arm.ClientOptions {
	return &arm.ClientOptions{ClientOptions: policy.ClientOptions{Cloud: l.cloud(), Transport: l.client(), Retry: policy.RetryOptions{MaxRetries: -1}}}
}

// login is a credential of the instance's service principal, with any secret.
func (l *local) login(secret string) *azidentity.ClientSecretCredential {
	l.t.Helper()
	cred, err := azidentity.NewClientSecretCredential(l.inst.Tenant, l.inst.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: policy.ClientOptions{Cloud: l.cloud(), Transport: l.client(), Retry: policy.RetryOptions{MaxRetries: -1}}, DisableInstanceDiscovery: true})
	if err != nil {
		l.t.Fatal(err)
	}
	return cred
}

func (l *local) secret() string {
	l.t.Helper()
	data, err := os.ReadFile(l.inst.Path("client_secret"))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(data)
}

func (l *local) credential() *azidentity.ClientSecretCredential { return l.login(l.secret()) }

// id is a resource id in the group "rg".
func (l *local) id(typeAndName string) string {
	return "/subscriptions/" + l.inst.Subscription + "/resourceGroups/rg/providers/" + strings.TrimPrefix(typeAndName, "/")
}

// within fails the test when ctx of the whole test would pass a minute.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// await looks until ok, or fails when ctx ends.
func await(ctx context.Context, t testing.TB, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("never %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}
