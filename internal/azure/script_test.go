package azure

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"mngr/internal/agent"
)

const (
	testSub   = "11111111-2222-3333-4444-555555555555"
	testGroup = "/subscriptions/" + testSub + "/resourceGroups/mngr"
	testHost  = agent.HostID("host-0123456789abcdef0123456789abcdef")
)

var (
	testVMName = vmName("my-agent")
	testVM     = testGroup + "/providers/Microsoft.Compute/virtualMachines/" + testVMName
	compute    = "/subscriptions/" + testSub + "/providers/Microsoft.Compute"
	operations = compute + "/locations/westus/operations/"
	networks   = testGroup + "/providers/Microsoft.Network/"
)

// answer is one scripted response. Shapes and codes come from recorded exchanges and
// from Microsoft's pages, where a test says so.
type scripted struct {
	status int
	header map[string]string
	body   string
	hangUp bool          // accept the request, and lose the answer
	slow   time.Duration // before the answer
}

// script is an ARM that answers each route with its list of answers in turn, the last
// one for ever. What is not in it is an error of the test.
type script struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	routes   map[string][]scripted
	requests []recorded
	logins   int
	refusal  scripted // of a login, where it has a status
	unheard  int      // slow answers whose client had gone
}

// refuseLogin makes Entra refuse from now on.
func (s *script) refuseLogin(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = says(status, body)
}

// recorded is a request as it arrived.
type recorded struct {
	route  string
	header http.Header
	query  string
	body   string
}

func newScript(t *testing.T, routes map[string][]scripted) *script {
	s := &script{t: t, routes: map[string][]scripted{}}
	for route, answers := range routes {
		s.routes[strings.ToLower(route)] = answers
	}
	s.server = httptest.NewTLSServer(s)
	t.Cleanup(s.server.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/tenant/") {
		s.entra(w, r)
		return
	}
	if r.URL.Path == retailPath { // nobody knows a price here
		_, _ = io.WriteString(w, `{"Items":[],"NextPageLink":null}`)
		return
	}
	body, _ := io.ReadAll(r.Body)
	route := r.Method + " " + r.URL.Path
	if r.URL.Query().Get("statusOnly") != "" {
		route += "?statusOnly"
	}
	s.mu.Lock()
	s.requests = append(s.requests, recorded{route, r.Header.Clone(), r.URL.RawQuery, string(body)})
	key := strings.ToLower(route)
	answers, known := s.routes[key]
	if len(answers) > 1 {
		s.routes[key] = answers[1:]
	}
	s.mu.Unlock()
	if !known {
		s.t.Errorf("unexpected request %s", route)
		http.Error(w, `{"error":{"code":"Unscripted","message":"`+route+`"}}`, http.StatusTeapot)
		return
	}
	s.play(w, r, answers[0])
}

func (s *script) play(w http.ResponseWriter, r *http.Request, a scripted) {
	if a.slow > 0 {
		select {
		case <-r.Context().Done():
			s.mu.Lock()
			s.unheard++
			s.mu.Unlock()
		case <-time.After(a.slow):
		}
	}
	if a.hangUp {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for k, v := range a.header {
		w.Header().Set(k, strings.ReplaceAll(v, "{host}", s.server.URL))
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func (s *script) entra(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		_ = json.NewEncoder(w).Encode(map[string]string{
			"issuer":                 s.server.URL + "/tenant/v2.0",
			"authorization_endpoint": s.server.URL + "/tenant/oauth2/v2.0/authorize",
			"token_endpoint":         s.server.URL + "/tenant/oauth2/v2.0/token",
		})
		return
	}
	s.mu.Lock()
	s.logins++
	refusal := s.refusal
	s.mu.Unlock()
	if refusal.status != 0 {
		w.WriteHeader(refusal.status)
		_, _ = io.WriteString(w, refusal.body)
		return
	}
	_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"t"}`)
}

// provider is the real provider, led to the script as it is led to a local Azure.
func (s *script) provider(change ...func(*Settings)) *Provider {
	s.t.Helper()
	dir := s.t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	client, err := json.Marshal(localState{
		Endpoint: s.server.URL, Authority: s.server.URL, CAFile: "ca.pem", TenantID: "tenant",
		SubscriptionID: testSub, ClientID: "client", ClientSecretFile: "secret",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	write("client.json", string(client))
	write("secret", "x\n")
	write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})))
	settings := Defaults()
	settings.Cloud, settings.LocalDir, settings.PollInterval = CloudLocal, dir, time.Millisecond
	for _, c := range change {
		c(&settings)
	}
	p, err := New(settings)
	if err != nil {
		s.t.Fatal(err)
	}
	p.retry = policy.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond, MaxRetryDelay: time.Second}
	return p
}

// seen returns the requests of a route, or of all routes with a prefix ending in *.
func (s *script) seen(route string) []recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	prefix, any := strings.CutSuffix(strings.ToLower(route), "*")
	return slices.DeleteFunc(slices.Clone(s.requests), func(r recorded) bool {
		if got := strings.ToLower(r.route); any {
			return !strings.HasPrefix(got, prefix)
		} else {
			return got != prefix
		}
	})
}

// with adds routes to others.
func with(sets ...map[string][]scripted) map[string][]scripted {
	all := map[string][]scripted{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}

func says(status int, body string) scripted { return scripted{status: status, body: body} }

func refuses(status int, code, message string) scripted {
	return says(status, `{"error":{"code":"`+code+`","message":"`+message+`"}}`)
}

var notThere = refuses(404, "ResourceNotFound", "The Resource was not found.")

// accepts is 201 or 202 with the operation's URL.
func accepts(status int, operation, body string) scripted {
	return scripted{status: status, body: body, header: map[string]string{
		"Azure-AsyncOperation": "{host}" + operations + operation + "?api-version=2026-04-01", "Retry-After": "10"}}
}

var (
	running   = says(200, `{"startTime":"2026-01-01T00:00:00Z","status":"InProgress","name":"x"}`)
	succeeded = says(200, `{"startTime":"2026-01-01T00:00:00Z","endTime":"2026-01-01T00:01:00Z","status":"Succeeded","name":"x"}`)
)

// machine is a machine's document, as far as we read it.
func machine(state, extra string) string {
	return `{"name":"` + testVMName + `","id":"` + testVM + `","location":"westus",
	 "tags":{"managed-by":"mngr","mngr-host-id":"` + string(testHost) + `","mngr-host-name":"mngr-my-agent","mngr-provider":"azure"},
	 "identity":{"type":"SystemAssigned","principalId":"aaaaaaaa-0000-0000-0000-000000000000","tenantId":"t"},
	 "properties":{"hardwareProfile":{"vmSize":"Standard_B2s"},"provisioningState":"` + state + `",
	  "timeCreated":"2026-01-01T00:00:00.1234567+00:00",
	  "storageProfile":{"osDisk":{"name":"` + diskName(testVMName) + `"}}` + extra + `}}`
}

const assignmentList = "/providers/Microsoft.Authorization/roleAssignments"

const emptyList = `{"value":[]}`

// nothingLeft are the lists that a sweep looks at, empty.
func nothingLeft() map[string][]scripted {
	return map[string][]scripted{
		"GET " + networks + "networkInterfaces":                   {says(200, emptyList)},
		"GET " + networks + "publicIPAddresses":                   {says(200, emptyList)},
		"GET " + testGroup + "/providers/Microsoft.Compute/disks": {says(200, emptyList)},
		"GET " + testVM + assignmentList:                          {says(200, emptyList)},
	}
}

func testSpec() agent.MachineSpec {
	return agent.MachineSpec{HostID: testHost, HostName: "my-agent", AuthorizedKey: "ssh-ed25519 AAAA", CustomData: []byte("x")}
}
