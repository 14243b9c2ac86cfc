package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

// arm makes the error that the SDK makes of an answer.
func armAnswer(status int, body string) error {
	return runtime.NewResponseError(&http.Response{
		StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
		Request: &http.Request{Method: http.MethodGet, URL: &url.URL{}},
	})
}

func TestTranslate(t *testing.T) {
	const quota = `{"error":{"code":"OperationNotAllowed","message":"Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details …"}}`
	const state = `{"error":{"code":"OperationNotAllowed","message":"Operation 'start' is not allowed on VM 'x' since the VM is generalized."}}`
	const throttled = `{"code":"OperationNotAllowed","message":"The server rejected the request because too many requests have been received for this subscription.",
		"details":[{"code":"TooManyRequests","target":"HighCostGet","message":"{}"}]}`
	for _, c := range []struct {
		name  string
		err   error
		kind  agent.Kind
		cause string
		hint  string // a part of it
	}{
		{"quota", armAnswer(409, quota), agent.KindQuota, "exceeding approved Total Regional Cores quota", "list-usage"},
		{"a state that forbids it", armAnswer(409, state), agent.KindConflict, "since the VM is generalized (OperationNotAllowed)", ""},
		{"throttling by Compute", armAnswer(429, throttled), agent.KindThrottled, "too many requests", "wait"},
		{"throttling by ARM", armAnswer(429, `{"error":{"code":"SubscriptionRequestsThrottled","message":"Number of …"}}`), agent.KindThrottled, "Number of", "wait"},
		{"no capacity at once", armAnswer(409, `{"error":{"code":"SkuNotAvailable","message":"The requested VM size …"}}`), agent.KindNoCapacity, "The requested VM size", "--azure-vm-size"},
		{"no capacity later", armAnswer(200, `{"status":"Failed","error":{"code":"AllocationFailed","message":"Allocation failed."}}`), agent.KindNoCapacity, "make a thing: Allocation failed (AllocationFailed)", "size"},
		{"missing permission", armAnswer(403, `{"error":{"code":"AuthorizationFailed","message":"The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Compute/virtualMachines/write' over scope …"}}`), agent.KindDenied, "Microsoft.Compute/virtualMachines/write", "Contributor"},
		{"token refused", armAnswer(401, `{"error":{"code":"ExpiredAuthenticationToken","message":"…"}}`), agent.KindCredentials, "the login has expired", "az login"},
		{"absent", armAnswer(404, `{"error":{"code":"ResourceNotFound","message":"The Resource 'x' was not found."}}`), agent.KindNotFound, "was not found", ""},
		{"group absent", armAnswer(404, `{"error":{"code":"ResourceGroupNotFound","message":"Resource group 'x' could not be found."}}`), agent.KindNotPrepared, "the resource group does not exist", "mngr azure prepare"},
		{"absent without a code", armAnswer(404, ``), agent.KindNotFound, "", ""},
		{"an unknown conflict", armAnswer(409, `{"error":{"code":"Tomorrow","message":"New."}}`), agent.KindConflict, "New (Tomorrow)", ""},
		{"an unknown failure", armAnswer(500, `{"error":{"code":"InternalServerError","message":"Oops."}}`), agent.KindInternal, "Oops", ""},
		{"a proxy's page", armAnswer(502, `<html>`), agent.KindUnreachable, "", "again"},
		{"login", &loginError{errors.New("a page"), agent.KindCredentials, "no Azure login: …", "az login"}, agent.KindCredentials, "no Azure login", "az login"},
		{"interrupted", fmt.Errorf("poll: %w", context.Canceled), agent.KindCanceled, "make a thing: interrupted", ""},
		{"too slow", fmt.Errorf("poll: %w", context.DeadlineExceeded), agent.KindTimeout, "not done in time", ""},
		{"no network", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, agent.KindUnreachable, "Azure does not answer", "network"},
		{"ours already", agent.Errorf(agent.KindRefused, "no").WithHint("do"), agent.KindRefused, "make a thing: no", "do"},
		{"anything else", errors.New("what\n ever"), agent.KindInternal, "make a thing: what ever", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := translate(c.err, "make a thing")
			if got := agent.KindOf(err); got != c.kind {
				t.Errorf("kind %s, want %s (%v)", got, c.kind, err)
			}
			if !strings.Contains(err.Error(), c.cause) || strings.Contains(err.Error(), "\n") {
				t.Errorf("cause %q, want one line with %q", err, c.cause)
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

// Every code in the table is found as it is written by Azure, in whatever case.
func TestAnswersAreLowerCase(t *testing.T) {
	for code := range answers {
		if code != strings.ToLower(code) {
			t.Errorf("%q can never be found", code)
		}
	}
}

func FuzzARMError(f *testing.F) {
	f.Add(409, `{"error":{"code":"Conflict","message":"x","details":[{"code":"y"}]}}`)
	f.Add(429, `{"code":"OperationNotAllowed","details":[{"code":"TooManyRequests"}]}`)
	f.Add(200, `null`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		err := translate(armAnswer(status, body), "x")
		if strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("more than one line: %q", err)
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
