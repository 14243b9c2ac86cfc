package azure

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"mngr/internal/agent"
)

// answering is a web server in one function.
type answering func(*http.Request) (status int, body string, header map[string]string)

// RoundTrip implements http.RoundTripper.
func (f answering) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body, header := f(r)
	resp := &http.Response{StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
	for k, v := range header {
		resp.Header.Set(k, v)
	}
	return resp, nil
}

type anyToken struct{}

func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// against is the real provider and the real SDK, logged in at a server without a network.
func against(t *testing.T, server answering) *Provider {
	settings := Defaults()
	settings.SubscriptionID, settings.PollInterval = testSub, 10
	p, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	at := &place{client: &http.Client{Transport: server}, cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		cloud.ResourceManager: {Endpoint: "https://arm.test", Audience: "https://arm.test"},
	}}}
	token := newTokenSource(func() (azcore.TokenCredential, error) { return anyToken{}, nil }, nil, nil)
	if p.current, err = newSession(at, testSub, token, policy.RetryOptions{MaxRetries: -1}, nil); err != nil {
		t.Fatal(err)
	}
	return p
}

func wantLine(t *testing.T, what, s string) {
	t.Helper()
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }); i >= 0 {
		t.Errorf("%s is not fit for a terminal at %d: %q", what, i, s)
	}
	if len(s) > 3000 {
		t.Errorf("%s has %d bytes", what, len(s))
	}
}

func wantError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		wantLine(t, "the cause", err.Error())
		wantLine(t, "the hint", agent.HintOf(err))
		wantLine(t, "the code", agent.CodeOf(err))
	}
}

// saysPower collects what a document says of power, wherever it stands.
func saysPower(doc string) (deallocated, other bool) {
	var walk func(any)
	walk = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, e := range x {
				walk(e)
			}
		case map[string]any:
			for _, e := range x {
				walk(e)
			}
		case string:
			if kind, value, _ := strings.Cut(strings.ToLower(x), "/"); kind == "powerstate" {
				deallocated, other = deallocated || value == "deallocated", other || value != "deallocated"
			}
		}
	}
	var v any
	if json.Unmarshal([]byte(doc), &v) == nil {
		walk(v)
	}
	return deallocated, other
}

func wantHost(t *testing.T, h agent.Host, documents ...string) {
	t.Helper()
	wantLine(t, "why it failed", h.Failure)
	wantLine(t, "its name", h.Name)
	if h.Address != "" {
		if a, err := netip.ParseAddr(h.Address); err != nil || a.Zone() != "" {
			t.Errorf("the address %q is none", h.Address)
		}
	}
	var deallocated bool
	for _, d := range documents {
		said, _ := saysPower(d)
		deallocated = deallocated || said
	}
	if !deallocated && (h.State == agent.HostStopped || h.State == agent.HostEvicted || h.Billing == agent.BillingStorage) {
		t.Errorf("%s, billing %s, and nobody says that it is deallocated", h.State, h.Billing)
	}
	if h.Billing == agent.BillingNone || h.Billing == "" || h.State == "" {
		t.Errorf("a machine that is listed is %q and bills %q", h.State, h.Billing)
	}
}

const (
	seedVM = `{"id":"` + testGroup + `/providers/Microsoft.Compute/virtualMachines/v","name":"v","location":"westus","tags":{"managed-by":"mngr","mngr-host-id":"` + string(testHost) + `","mngr-host-name":"mngr-a"},"properties":{"provisioningState":"Succeeded","networkProfile":{"networkInterfaces":[{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n"}]}}}`
	// seedView has the id of seedVM and what the list of states adds.
	seedView = `{"id":"` + testGroup + `/providers/Microsoft.Compute/virtualMachines/v","properties":{"instanceView":{"statuses":[{"code":"ProvisioningState/succeeded"},{"code":"PowerState/deallocated","displayStatus":"VM deallocated"}]}}}`
	seedIP   = `{"name":"i","tags":{"mngr-host-id":"` + string(testHost) + `"},"properties":{"ipAddress":"203.0.113.4","ipConfiguration":{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n/ipConfigurations/c"}}}`
)

// Whatever the lists of machines, states and addresses hold, list has printable rows or one
// printable error, and calls nothing stopped of which that is not said.
func FuzzList(f *testing.F) {
	list := func(values ...string) string { return `{"value":[` + strings.Join(values, ",") + `]}` }
	view := `{"statuses":[{"code":"ProvisioningState/failed/AllocationFailed","message":"a\nb"},{"code":"PowerState/running"}]}`
	f.Add(200, list(seedVM), list(seedView), list(seedIP), view)
	f.Add(200, list(seedVM, "null"), list("null"), list("null"), "null")
	f.Add(200, list(strings.Replace(seedVM, `"v","location"`, `"\u001b[31mv","location"`, 1)), list(), list(strings.Replace(seedIP, "203.0.113.4", "-oProxyCommand=x", 1)), view)
	f.Add(200, list(`{"tags":{"managed-by":"mngr"}}`), list(`{"id":"","properties":{"instanceView":{"statuses":[{"code":"PowerState/deallocated"}]}}}`), list(`{"properties":{"ipAddress":"x"}}`), `{"statuses":[null,{"code":null},{"code":"PowerState/deallocated"},{"code":"PowerState/running"}]}`)
	f.Add(200, list(strings.Replace(seedVM, `"properties":{`, `"properties":{"priority":"Spot","evictionPolicy":"Deallocate",`, 1)), list(seedView), "{}", "[]")
	f.Add(403, `{"error":{"code":"AuthorizationFailed","message":"x"}}`, "<html>", "", "")
	f.Fuzz(func(t *testing.T, status int, machines, states, addresses, view string) {
		if status < 100 || status > 599 {
			return
		}
		p := against(t, func(r *http.Request) (int, string, map[string]string) {
			path := strings.ToLower(r.URL.Path)
			switch {
			case r.URL.Query().Get("page") != "":
				return 200, `{"value":[]}`, nil
			case r.URL.Query().Get("statusOnly") != "":
				return status, states, nil
			case strings.HasSuffix(path, "/instanceview"):
				return status, view, nil
			case strings.HasSuffix(path, "/virtualmachines"):
				return status, machines, nil
			case strings.HasSuffix(path, "/publicipaddresses"):
				return status, addresses, nil
			}
			return 404, `{"error":{"code":"ResourceNotFound","message":"gone"}}`, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // a list may name itself as its next page
		defer cancel()
		hosts, err := p.List(ctx)
		wantError(t, err)
		if err == nil && status >= 400 && status != http.StatusNotFound {
			t.Errorf("status %d, and a list of %d", status, len(hosts))
		}
		for _, h := range hosts {
			wantHost(t, h, machines, states, view)
		}
	})
}

// One machine with its instance view.
func FuzzMachine(f *testing.F) {
	f.Add(200, seedVM)
	f.Add(200, strings.Replace(seedVM, `"properties":{`, `"properties":{"instanceView":{"statuses":[{"code":"PowerState/deallocated"},{"code":"PowerState/running"}]},`, 1))
	f.Add(200, strings.Replace(seedVM, "Succeeded", `Failed","instanceView":{"statuses":[{"code":"ProvisioningState/failed/OSProvisioning\u001bTimedOut","message":"\u0007x"},{"code":"PowerState/"}]},"x":"`, 1))
	f.Add(200, `{"properties":{"provisioningState":"\u202eSucceeded","networkProfile":{"networkInterfaces":[null,{}]}}}`)
	f.Add(404, `{"error":{"code":"ResourceNotFound","message":"\u0000"}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 100 || status > 599 {
			return
		}
		p := against(t, func(r *http.Request) (int, string, map[string]string) {
			if strings.EqualFold(r.URL.Path, testVM) {
				return status, body, nil
			}
			return 404, `{"error":{"code":"ResourceNotFound","message":"gone"}}`, nil
		})
		h, err := p.Get(t.Context(), testVM)
		wantError(t, err)
		if err == nil {
			wantHost(t, h, body)
			if _, other := saysPower(body); other && h.State == agent.HostStopped {
				t.Errorf("stopped, and Azure names another power state too: %s", body)
			}
		}
	})
}

// Whatever an operation's status says, only Succeeded is success.
func FuzzOperation(f *testing.F) {
	f.Add(200, `{"status":"Succeeded"}`)
	f.Add(200, `{"status":"Failed","error":{"code":"AllocationFailed","message":"a\r\nb\u001b]0;x\u0007"}}`)
	f.Add(200, `{"status":"InProgress","percentComplete":5}`)
	f.Add(200, `{"status":"Canceled"}`)
	f.Add(200, `{"status":null}`)
	f.Add(202, ``)
	f.Add(204, ``)
	f.Add(500, `<html>`)
	f.Add(404, `{"error":{"code":"OperationNotFound","message":"x"}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 100 || status > 599 || status/100 == 1 || status/100 == 3 {
			return
		}
		asked := 0
		p := against(t, func(r *http.Request) (int, string, map[string]string) {
			if r.Method == http.MethodPost {
				return 202, "", map[string]string{"Azure-AsyncOperation": "https://arm.test/operation"}
			}
			if asked++; asked > 2 { // it ends sooner or later
				return 200, `{"status":"Failed","error":{"code":"Ended","message":"by the test"}}`, nil
			}
			return status, body, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // what passes is asked again, with patience
		defer cancel()
		err := p.Stop(ctx, testVM, true, nil)
		wantError(t, err)
		var said struct{ Status string }
		if json.Unmarshal([]byte(body), &said) != nil {
			said.Status = ""
		}
		if err == nil && !strings.EqualFold(said.Status, "Succeeded") {
			t.Errorf("HTTP %d, %q: taken for done", status, body)
		}
	})
}

// Sources come back as they are written, admit what they were to admit, and nothing else.
func FuzzSources(f *testing.F) {
	f.Add("203.0.113.4", "10.0.0.0/8")
	f.Add("0.0.0.0/0", "::1")
	f.Add("10.1.2.3/8", "10.0.0.0/8")
	f.Add("*", "me")
	f.Add("::ffff:1.2.3.4", "1.2.3.4%eth0")
	f.Fuzz(func(t *testing.T, a, b string) {
		out, err := parseCIDRs([]string{a, b})
		if err != nil {
			return
		}
		if len(out) == 0 {
			t.Fatal("two sources became none, which admits nobody")
		}
		for _, in := range []string{a, b} {
			want, err := parseCIDR(in)
			if err != nil {
				t.Fatal(err)
			}
			covered := false
			for _, o := range out {
				p := netip.MustParsePrefix(o)
				covered = covered || p.Contains(want.Addr()) && p.Bits() <= want.Bits()
			}
			if !covered {
				t.Errorf("%q is not admitted by %q", in, out)
			}
		}
		for _, o := range out {
			if p := netip.MustParsePrefix(o); !p.Addr().Is4() || p != p.Masked() {
				t.Errorf("%q is no IPv4 prefix", o)
			}
		}
		again, err := parseCIDRs(out)
		if err != nil || !sameSources(again, out) || len(again) != len(out) {
			t.Errorf("%q, read again: %q, %v", out, again, err)
		}
		if open(out) != (out[0] == anywhere) {
			t.Errorf("%q: open is %v", out, open(out))
		}
	})
}

// Whatever a token's payload is, who it is for is one bounded word or nothing, and a path
// names an operation without a panic.
func FuzzAudit(f *testing.F) {
	f.Add("PUT", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v", "a.eyJvaWQiOiJvIn0.c")
	f.Add("POST", "/providers/", "..")
	f.Add("DELETE", "//subscriptions//providers//x", "")
	f.Fuzz(func(t *testing.T, method, path, token string) {
		_ = bearer(token)
		operation, resource := operationOf(method, path)
		if operation == "" || !strings.Contains(path, resource) {
			t.Errorf("%q of %q", operation, resource)
		}
	})
}
