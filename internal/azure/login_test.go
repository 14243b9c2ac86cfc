package azure

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"mngr/internal/agent"
)

// TestSovereignClouds: endpoints and audiences as Microsoft's pages "Compare Azure
// Government and global Azure", "Azure China developer guide" and "Authenticate requests
// to Azure Resource Manager" have them.
func TestSovereignClouds(t *testing.T) {
	for cloud, want := range map[Cloud][4]string{
		CloudPublic: {"https://login.microsoftonline.com/", "https://management.azure.com", "https://management.core.windows.net/", "AzureCloud"},
		CloudUSGov:  {"https://login.microsoftonline.us/", "https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/", "AzureUSGovernment"},
		CloudChina:  {"https://login.chinacloudapi.cn/", "https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/", "AzureChinaCloud"},
	} {
		at, err := Settings{Cloud: cloud}.place()
		if err != nil {
			t.Fatal(err)
		}
		got := [4]string{at.cloud.ActiveDirectoryAuthorityHost, at.arm().Endpoint, at.arm().Audience, at.azName}
		if got != want || at.scope() != want[2]+"/.default" || at.private {
			t.Errorf("%s: %q, scope %q; want %q", cloud, got, at.scope(), want)
		}
	}
}

// inPrivate is an instance led to a script as to a cloud of its own: with the whole
// default chain.
func (s *script) inPrivate(t *testing.T) *Provider {
	p := s.provider()
	settings := p.settings
	settings.Cloud = CloudCustom
	settings.Endpoints = Endpoints{ResourceManager: s.server.URL, Authority: s.server.URL, CAFile: filepath.Join(settings.LocalDir, "ca.pem")}
	settings.SubscriptionID = testSub
	custom, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	custom.retry = p.retry
	return custom
}

// TestChain: what the default chain finds, and what is said where it finds nothing.
func TestChain(t *testing.T) {
	empty := map[string][]scripted{
		"GET " + testGroup + "/providers/Microsoft.Compute/virtualMachines":   {says(200, emptyList)},
		"GET " + compute + "/virtualMachines?statusOnly":                      {says(200, emptyList)},
		"GET " + testGroup + "/providers/Microsoft.Network/publicIPAddresses": {says(200, emptyList)},
	}
	noLoginAround(t)
	path := t.TempDir() // /bin/sh runs az
	t.Setenv("PATH", path)
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "dev") // no metadata address is asked from a test
	az := func(script string) {
		if err := os.WriteFile(filepath.Join(path, "az"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := newScript(t, empty)
	refused := func(what, cause, hint string, kind agent.Kind) {
		t.Helper()
		_, err := s.inPrivate(t).List(t.Context())
		if agent.KindOf(err) != kind || !strings.Contains(err.Error(), cause) || !strings.Contains(agent.HintOf(err), hint) {
			t.Errorf("%s: %v (%s), hint %q", what, err, agent.KindOf(err), agent.HintOf(err))
		}
		if err != nil && strings.ContainsAny(err.Error()+agent.HintOf(err), "\n\t") {
			t.Errorf("%s: more than one line: %q", what, err)
		}
		if err != nil && strings.Contains(strings.ToLower(err.Error()+agent.HintOf(err)), "start docker") {
			t.Errorf("%s: Docker has nothing to do with it: %q", what, err)
		}
	}
	refused("no az", "az is not installed", "az login", agent.KindCredentials)
	refused("the way out", "no Azure login", "mngr config set providers.azure.is_enabled false", agent.KindCredentials)
	az(`echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`)
	refused("az without a session", "az is not logged in", "az login", agent.KindCredentials)
	az(`echo '{"accessToken":"t","expires_on":4102444800}'`)
	if _, err := s.inPrivate(t).List(t.Context()); err != nil {
		t.Errorf("az with a session: %v", err)
	}

	t.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
	t.Setenv("AZURE_CLIENT_ID", "00000000-0000-0000-0000-00000000000c")
	refused("half a service principal", "no AZURE_TENANT_ID, no AZURE_CLIENT_SECRET", "set AZURE_TENANT_ID", agent.KindCredentials)
	t.Setenv("AZURE_TENANT_ID", "tenant")
	t.Setenv("AZURE_CLIENT_SECRET", "x")
	if _, err := s.inPrivate(t).List(t.Context()); err != nil || s.logins != 1 {
		t.Errorf("a service principal: %v, %d logins", err, s.logins)
	}
	entraRefusal := `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2","error_codes":[7000215]}`
	s.refuseLogin(http.StatusUnauthorized, entraRefusal)
	refused("a wrong secret", "AADSTS7000215: Invalid client secret provided", "AZURE_CLIENT_SECRET", agent.KindCredentials)
	s.server.Close()
	refused("nobody there", "does not answer", "network", agent.KindUnreachable)
}

func TestContact(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	_ = closed.Close()
	s := newScript(t, map[string][]scripted{"GET /": {says(200, "{}")}})
	for url, words := range map[string]string{
		"https://" + address:           "refuses the connection",
		s.server.URL:                   "is not trusted",
		"https://no-such-host.invalid": "cannot be resolved",
	} {
		c := &contact{client: newClient(nil)}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			t.Fatalf("%s answered", url)
		}
		if _, final := err.(finalError); !final {
			t.Logf("%s: would be tried again: %v", url, err) // a resolver that is out of reach is no verdict
			if !strings.Contains(url, ".invalid") {
				t.Errorf("%s: not final", url)
			}
		}
		if cause, hint, ok := networkWords(err); !ok || hint == "" || !strings.Contains(cause, words) {
			t.Errorf("%s: %q, %q, %v", url, cause, hint, ok)
		}
		// Once somebody has answered, the same error may pass.
		c.met.Store(true)
		if _, err := c.Do(req); err == nil {
			t.Fatal("answered")
		} else if _, final := err.(finalError); final {
			t.Errorf("%s: final although somebody has answered before", url)
		}
	}
}

// Trouble of the login service is no refusal, and no settings help; a connection that was
// accepted and broke does not mean that nobody is there.
func TestTroubleOfTheLoginService(t *testing.T) {
	closed := &url.Error{Op: "Post", URL: "https://127.0.0.1:1/", Err: syscall.ECONNREFUSED}
	cut := &url.Error{Op: "Post", URL: "https://127.0.0.1:1/", Err: io.EOF}
	answer := func(status int, text string) error {
		resp := &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(`{"error":"x","error_description":"` + text + `"}`))}
		return &azidentity.AuthenticationFailedError{RawResponse: resp}
	}
	for name, c := range map[string]struct {
		err, trouble error
		kind         agent.Kind
		cause, hint  string
	}{
		"500":     {answer(500, "AADSTS90033: A transient error."), nil, agent.KindUnreachable, "Azure's login has trouble of its own: AADSTS90033", "try again"},
		"429":     {answer(429, "AADSTS50196: A loop."), nil, agent.KindUnreachable, "Azure's login has trouble of its own: AADSTS50196", "try again"},
		"refused": {answer(401, "AADSTS7000215: Invalid."), nil, agent.KindCredentials, "Azure refused the login: AADSTS7000215", "mngr azure local principal list"},
		"cut":     {cut, cut, agent.KindUnreachable, "Azure's login does not answer: the connection to 127.0.0.1:1 broke", "try again"},
		"down":    {closed, closed, agent.KindUnreachable, "Azure's login does not answer: 127.0.0.1:1 refuses", "mngr azure local up"},
	} {
		line := &contact{}
		if c.trouble != nil {
			line.failure.Store(&c.trouble)
		}
		e := loginProblem(c.err, &place{local: &localState{}}, line)
		if e.kind != c.kind || !strings.HasPrefix(e.cause, c.cause) || !strings.HasPrefix(e.hint, c.hint) {
			t.Errorf("%s: %q (%s), hint %q", name, e.cause, e.kind, e.hint)
		}
	}
}
