package azure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

// arm makes the error that the SDK makes of an answer.
func armAnswer(status int, body string) error {
	return runtime.NewResponseError(&http.Response{
		StatusCode: status, Header: http.Header{"X-Ms-Correlation-Request-Id": {"11111111-aaaa"}}, Body: io.NopCloser(strings.NewReader(body)),
		Request: &http.Request{Method: http.MethodGet, URL: &url.URL{}},
	})
}

// testScene is where the errors of these tests happen.
func testScene() scene {
	return scene{
		provider: "azure", prepare: prepareCommand, login: "az login", subscription: testSub, group: "mngr",
		region: "westus", size: "Standard_B2s", portal: "https://portal.azure.com/" + quotasPage,
	}
}

func body(code, message string) string {
	return `{"error":{"code":"` + code + `","message":"` + message + `"}}`
}

func TestTranslate(t *testing.T) {
	quota := body("OperationNotAllowed", "Operation could not be completed as it results in exceeding approved standardBSFamily Cores quota. Additional details - Deployment Model: Resource Manager, Location: eastus, Current Limit: 50, Current Usage: 49, Additional Required: 2, (Minimum) New Limit Required: 51. Setup Alerts when Quota reaches threshold.")
	unclear := body("OperationNotAllowed", "Operation could not be completed as it results in exceeding approved quota in a way nobody knows. More.")
	const throttled = `{"code":"OperationNotAllowed","message":"The server rejected the request because too many requests have been received for this subscription.",
		"details":[{"code":"TooManyRequests","target":"HighCostGet","message":"{}"}]}`
	noRight := body("AuthorizationFailed", "The client 'x' with object id '99999999-0000-0000-0000-000000000000' does not have authorization to perform action 'Microsoft.Compute/virtualMachines/write' over scope '/subscriptions/s' or the scope is invalid.")
	noRole := body("AuthorizationFailed", "The client 'x' with object id '99999999-0000-0000-0000-000000000000' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/write' over scope '/subscriptions/s'.")
	linkedRight := body("LinkedAuthorizationFailed", "The client has permission to perform action 'Microsoft.Compute/virtualMachines/write' on scope '/s'; however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '/subscriptions/s/subnets/x'.")
	linkedOnce := body("LinkedAuthorizationFailed", "The client 'x' with object id '99999999-0000-0000-0000-000000000000' has permission to perform action 'Microsoft.Network/virtualNetworks/subnets/write' on scope '/s'; however, it does not have permission to perform action 'Microsoft.Network/routeTables/join/action' on the linked scope(s) '/subscriptions/s/routeTables/x' or the linked scope(s) are invalid.")
	denial := body("DenyAssignmentAuthorizationFailed", "The client 'x' with object id '99999999-0000-0000-0000-000000000000' has permission to perform action 'Microsoft.Compute/virtualMachines/write' on scope '/s'; however, the access is denied because of the deny assignment with name 'system' and Id 'y' at scope '/s'.")
	const policy = `{"error":{"code":"RequestDisallowedByPolicy","message":"Resource 'x' was disallowed by policy. Policy identifiers: …",
		"additionalInfo":[{"type":"PolicyViolation","info":{"policyDefinitionDisplayName":"Require a cost tag"}}]}}`
	locked := body("ScopeLocked", "The scope '/a' cannot perform delete operation because following scope(s) are locked: '/subscriptions/s/resourceGroups/mngr'. Please remove the lock.")
	sku := body("SkuNotAvailable", "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: Standard_B2s' is currently not available in location 'eastus'. Please try another size or deploy to a different location or different zone.")
	for _, c := range []struct {
		name  string
		err   error
		kind  agent.Kind
		cause string
		hint  string // a part of it
	}{
		{"quota", armAnswer(409, quota), agent.KindQuota, "make a thing: the quota standardBSFamily Cores in eastus is used up: limit 50, in use 49, needed 2 (OperationNotAllowed)", "az vm list-usage --location eastus --output table #"},
		{"quota, told otherwise", armAnswer(409, unclear), agent.KindQuota, "exceeding approved quota in a way nobody knows (OperationNotAllowed)", "az vm list-usage --location westus"},
		{"public addresses", armAnswer(400, body("PublicIPCountLimitReached", "Cannot create more than 20 public IP addresses for this subscription in this region.")), agent.KindQuota, "limit 20, needed 1", "az network list-usages --location westus"},
		{"a state that forbids it", armAnswer(409, body("OperationNotAllowed", "Operation 'start' is not allowed on VM 'x' since the VM is generalized.")), agent.KindConflict, "since the VM is generalized (OperationNotAllowed)", "mngr list"},
		{"throttling by Compute", armAnswer(429, throttled), agent.KindThrottled, "(HighCostGet)", "sleep 15"},
		{"throttling by ARM", armAnswer(429, body("SubscriptionRequestsThrottled", "Number of …")), agent.KindThrottled, "Azure throttles", "sleep"},
		{"no capacity at once", armAnswer(409, sku), agent.KindNoCapacity, "make a thing: Standard_B2s has no capacity in eastus (SkuNotAvailable)", "mngr config set providers.azure.fallback_vm_sizes Standard_D2s_v5 # or fallback_regions; what is in use: az vm list-usage --location eastus"},
		{"no capacity later", armAnswer(200, `{"status":"Failed","error":{"code":"AllocationFailed","message":"Allocation failed. We do not have sufficient capacity."}}`), agent.KindNoCapacity, "make a thing: Standard_B2s has no capacity in westus (AllocationFailed)", "fallback_vm_sizes"},
		{"missing permission", armAnswer(403, noRight), agent.KindDenied, "the login lacks Microsoft.Compute/virtualMachines/write (", "az role assignment create --assignee 99999999-0000-0000-0000-000000000000 --role Contributor --scope /subscriptions/" + testSub + "/resourceGroups/mngr"},
		{"nothing but the code", armAnswer(403, body("AuthorizationFailed", "AuthorizationFailed")), agent.KindDenied, "make a thing: AuthorizationFailed", "az role assignment list"},
		{"missing permission, told otherwise", armAnswer(403, body("AuthorizationFailed", "No.")), agent.KindDenied, "No (AuthorizationFailed)", "az role assignment list"},
		{"may not give roles", armAnswer(403, noRole), agent.KindDenied, "roleAssignments/write", "'User Access Administrator'"},
		{"may not join", armAnswer(403, linkedRight), agent.KindDenied, "the login lacks Microsoft.Network/virtualNetworks/subnets/join/action on /subscriptions/s/subnets/x", "Network Contributor"},
		{"may not join, in older words", armAnswer(403, linkedOnce), agent.KindDenied, "the login lacks Microsoft.Network/routeTables/join/action on /subscriptions/s/routeTables/x", "Network Contributor"},
		{"denied by an application", armAnswer(403, denial), agent.KindDenied, "a deny assignment keeps the login from Microsoft.Compute/virtualMachines/write", "denyAssignments"},
		{"policy", armAnswer(403, policy), agent.KindDenied, "the policy Require a cost tag of the subscription forbids it", "az policy assignment list --resource-group mngr"},
		{"lock", armAnswer(409, locked), agent.KindDenied, "a lock on /subscriptions/s/resourceGroups/mngr forbids it", "az lock list --resource-group mngr"},
		{"token refused", armAnswer(401, body("ExpiredAuthenticationToken", "…")), agent.KindCredentials, "the login has expired", "az login"},
		{"absent", armAnswer(404, body("ResourceNotFound", "The Resource 'x' was not found.")), agent.KindNotFound, "was not found", "mngr list"},
		{"group absent", armAnswer(404, body("ResourceGroupNotFound", "Resource group 'x' could not be found.")), agent.KindNotPrepared, "resource group mngr does not exist", "mngr azure prepare"},
		{"absent without a code", armAnswer(404, ``), agent.KindNotFound, "Azure answered 404", ""},
		{"an unknown conflict", armAnswer(409, body("Tomorrow", "New in this release. And much more.")), agent.KindConflict, "make a thing: New in this release (Tomorrow)", "mngr list"},
		{"an unknown failure", armAnswer(418, body("Teapot", `Short.\nAnd stout.`)), agent.KindInternal, "Short. And stout (Teapot) [correlation id 11111111-aaaa]", "mngr list"},
		{"Azure failing", armAnswer(500, body("InternalServerError", "Oops.")), agent.KindInternal, "Azure failed inside (InternalServerError) [correlation id 11111111-aaaa]", "az group show --name mngr"},
		{"a proxy's page", armAnswer(502, `<html>`), agent.KindUnreachable, "Azure answered 502", "repeat"},
		{"generation", armAnswer(400, body("BadRequest", "The selected VM size 'Standard_A1' cannot boot Hypervisor Generation '2'.")), agent.KindUsage, "Standard_A1 does not boot", "--size Standard_A1"},
		{"login", &loginError{errors.New("a page"), agent.KindCredentials, "no Azure login: …", "az login"}, agent.KindCredentials, "no Azure login", "az login"},
		{"interrupted", fmt.Errorf("poll: %w", context.Canceled), agent.KindCanceled, "make a thing: interrupted", ""},
		{"too slow", fmt.Errorf("poll: %w", context.DeadlineExceeded), agent.KindTimeout, "not done in time", "mngr list"},
		{"ours already", agent.Errorf(agent.KindRefused, "no").WithHint("do"), agent.KindRefused, "make a thing: no", "do"},
		{"anything else", errors.New("what\n ever"), agent.KindInternal, "make a thing: what ever", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := testScene().translate(c.err, "make a thing")
			if got := agent.KindOf(err); got != c.kind {
				t.Errorf("kind %s, want %s (%v)", got, c.kind, err)
			}
			if !strings.Contains(err.Error(), c.cause) || strings.Contains(err.Error(), "\n") {
				t.Errorf("cause %q, want one line with %q", err, c.cause)
			}
			if strings.Count(err.Error(), "AuthorizationFailed") > 1 {
				t.Errorf("cause %q says the code twice", err)
			}
			if hint := agent.HintOf(err); !strings.Contains(hint, c.hint) {
				t.Errorf("hint %q lacks %q", hint, c.hint)
			}
			if !errors.Is(err, c.err) {
				t.Error("the cause beneath is lost")
			}
		})
	}
	if translate(nil, "x") != nil {
		t.Error("no error became one")
	}
}

// A request that got no answer is told without its URL.
func TestTransport(t *testing.T) {
	asked := func(err error) error {
		return &url.Error{Op: "Put", URL: "https://management.azure.com/subscriptions/x?api-version=1", Err: err}
	}
	for name, c := range map[string]struct {
		err   error
		cause string
	}{
		"no name":          {asked(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "management.azure.com", Err: "no such host", IsNotFound: true}}), "the name management.azure.com cannot be resolved"},
		"refused":          {asked(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), "management.azure.com refuses the connection"},
		"no way":           {asked(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}), "there is no way to management.azure.com"},
		"reset":            {asked(&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}), "the connection to management.azure.com broke"},
		"cut in the body":  {fmt.Errorf("body download: %w", io.ErrUnexpectedEOF), "the connection to Azure broke"},
		"hung up":          {asked(io.EOF), "the connection to management.azure.com broke"},
		"a proxy's secret": {asked(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), "the certificate of management.azure.com is not trusted"},
		"silence":          {asked(os.ErrDeadlineExceeded), "management.azure.com does not answer"},
	} {
		err := testScene().translate(c.err, "x")
		if agent.KindOf(err) != agent.KindUnreachable || !strings.Contains(err.Error(), c.cause) || strings.Contains(err.Error(), "api-version") || agent.HintOf(err) == "" {
			t.Errorf("%s: %s %q, hint %q", name, agent.KindOf(err), err, agent.HintOf(err))
		}
	}
}

func TestBusy(t *testing.T) {
	for body, want := range map[string]bool{
		`{"error":{"code":"ConflictingConcurrentWriteNotAllowed","message":""}}`:                                 true,
		`{"error":{"code":"AnotherOperationInProgress","message":""}}`:                                           true,
		`{"error":{"code":"Conflict","message":""}}`:                                                             true,
		`{"error":{"code":"OperationNotAllowed","message":"because there is already an operation in progress"}}`: true,
		`{"error":{"code":"OperationNotAllowed","message":"since the VM is generalized"}}`:                       false,
		`{"error":{"code":"OperationNotAllowed","message":"exceeding approved cores quota"}}`:                    false,
		`{"error":{"code":"PropertyChangeNotAllowed","message":""}}`:                                             false,
		`{"error":{"code":"SkuNotAvailable","message":""}}`:                                                      false,
	} {
		if got := busy(armAnswer(409, body)); got != want {
			t.Errorf("busy(%s) = %v", body, got)
		}
	}
	if busy(nil) || busy(errors.New("x")) {
		t.Error("only ARM can be busy")
	}
}

// Whatever comes as an answer, a user reads two printable lines, without a word left to
// be filled in.
func FuzzARMError(f *testing.F) {
	f.Add(409, `{"error":{"code":"Conflict","message":"x","details":[{"code":"y"}]}}`)
	f.Add(429, `{"code":"OperationNotAllowed","details":[{"code":"TooManyRequests"}]}`)
	f.Add(200, `null`)
	f.Add(403, `{"error":{"code":"RequestDisallowedByPolicy","additionalInfo":[{"info":{"policyDefinitionDisplayName":"a\nb\u001b[31m"}}]}}`)
	f.Add(400, `{"error":{"code":"InvalidParameter","target":"a.b.\u2028","message":"\u0000\ufffd"}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		for _, sc := range []scene{{}, testScene()} {
			err := sc.translate(armAnswer(status, body), "x")
			for what, line := range map[string]string{"cause": err.Error(), "hint": agent.HintOf(err), "code": agent.CodeOf(err)} {
				if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }); i >= 0 {
					t.Errorf("%s is not fit for a terminal at %d: %q", what, i, line)
				}
			}
			if len(err.Error()) > 3000 {
				t.Errorf("%d bytes of cause", len(err.Error()))
			}
			_ = busy(err)
			_, _ = asksToWait(err)
		}
	})
}

// prepare is told for which instance, or it would prepare another.
func TestPrepareHintNamesTheInstance(t *testing.T) {
	for name, want := range map[string]string{"azure": "mngr azure prepare", "work": "mngr azure prepare --provider work"} {
		s := newScript(t, with(prepared(), map[string][]scripted{
			"POST " + testVM + "/start": {refuses(404, "ResourceGroupNotFound", "…")},
			"GET " + testVM:             {refuses(404, "ParentResourceNotFound", "…")},
			"PUT " + assignmentRoute():  {refuses(404, "RoleDefinitionDoesNotExist", "…")},
			"GET " + group:              {says(200, `{"properties":{"provisioningState":"Deleting"}}`)},
		}))
		p := s.provider(func(s *Settings) { s.Name = name })
		if got := agent.HintOf(p.Start(t.Context(), testVM, true, nil)); got != want {
			t.Errorf("start: %q, want %q", got, want)
		}
		if _, err := p.Prepare(t.Context(), PrepareOptions{}, nil); !strings.HasSuffix(agent.HintOf(err), want) {
			t.Errorf("prepare: %q, want %q", agent.HintOf(err), want)
		}
		sess, err := p.session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		why := p.letStopItself(t.Context(), sess, testVM, &armcompute.VirtualMachineIdentity{PrincipalID: new("aaaaaaaa-0000-0000-0000-000000000000")})
		if !strings.Contains(why, want+" makes it") {
			t.Errorf("self-stop: %q, want %q", why, want)
		}
	}
}
