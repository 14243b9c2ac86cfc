package azlocal

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
)

const (
	readsLeft    = "x-ms-ratelimit-remaining-subscription-reads"
	writesLeft   = "x-ms-ratelimit-remaining-subscription-writes"
	deletesLeft  = "x-ms-ratelimit-remaining-subscription-deletes"
	resourceLeft = "x-ms-ratelimit-remaining-resource"
)

// limited is a local Azure with limits in force, and one who asks it.
type limited struct {
	*raw
	ctx            context.Context
	group, vm, net string
}

// limitedLocal makes a machine, then puts settings in force. No token comes back by itself:
// the clock stands almost still.
func limitedLocal(t *testing.T, settings map[string]string) limited {
	t.Helper()
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	settings["throttling"], settings["clock"] = "on", "0.001"
	l.set(t, settings)
	group := "/subscriptions/" + l.inst.Subscription + "/resourceGroups/rg"
	return limited{raw: l.raw(ctx), ctx: ctx, group: group, vm: group + "/providers/Microsoft.Compute/virtualMachines/vm",
		net: group + "/providers/Microsoft.Network"}
}

func (l limited) ask(method, path, body string) reply {
	version := "2025-04-01"
	if strings.HasPrefix(path, l.net) {
		version = "2025-05-01"
	}
	return l.do(l.ctx, method, path+"?api-version="+version, body)
}

func (l limited) ok(t *testing.T, got reply) reply {
	t.Helper()
	if got.Status >= 300 {
		t.Fatalf("%d: %s", got.Status, got.Body)
	}
	return got
}

// refused wants a 429 with a code and a wait.
func refused(t *testing.T, got reply, code string) (message string) {
	t.Helper()
	var body struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(got.Body, &body); err != nil || got.Status != 429 || body.Error.Code != code ||
		got.Header.Get("Retry-After") == "" || got.Header.Get("x-ms-failure-cause") != "gateway" {
		t.Fatalf("%d %v: %s", got.Status, got.Header, got.Body)
	}
	return body.Error.Message
}

// TestLimitsOfARM empties the buckets of a principal, each by itself, and fills them again.
func TestLimitsOfARM(t *testing.T) {
	l := limitedLocal(t, map[string]string{"throttle.arm-reads": "3", "throttle.arm-writes": "2", "throttle.arm-deletes": "1"})
	for left := 2; left >= 0; left-- {
		if got := l.ok(t, l.ask("GET", l.group, "")); got.Header.Get(readsLeft) != fmt.Sprint(left) {
			t.Errorf("%d left, told %v", left, got.Header)
		}
	}
	text := refused(t, l.ask("GET", l.group, ""), "SubscriptionRequestsThrottled")
	if !strings.Contains(text, "Number of 'read' requests for subscription '"+l.inst.Subscription+"' actor '"+l.inst.ObjectID+"' exceeded") {
		t.Error(text)
	}
	for left := 1; left >= 0; left-- { // a write that fails is counted too
		if got := l.ask("POST", l.vm+"/nothing", ""); got.Status != 404 || got.Header.Get(writesLeft) != fmt.Sprint(left) {
			t.Errorf("%d left, told %d %v", left, got.Status, got.Header)
		}
	}
	refused(t, l.ask("PUT", l.group, `{"location":"westus"}`), "SubscriptionRequestsThrottled")
	if got := l.ok(t, l.ask("DELETE", l.net+"/publicIPAddresses/none", "")); got.Header.Get(deletesLeft) != "0" {
		t.Errorf("%v", got.Header)
	}
	refused(t, l.ask("DELETE", l.net+"/publicIPAddresses/none", ""), "SubscriptionRequestsThrottled")
	if got := l.do(l.ctx, "GET", "/tenants?api-version=2022-12-01", ""); got.Status != 200 || got.Header.Get("x-ms-ratelimit-remaining-tenant-reads") != "2" {
		t.Errorf("a tenant's buckets are others: %d %v", got.Status, got.Header)
	}
	l.set(t, map[string]string{"clock": "86400"})
	await(l.ctx, t, "refilled", func() bool { return l.ask("GET", l.group, "").Status == 200 })
}

// TestLimitOfASubscription lets many principals empty the bucket that they share, and each
// its own.
func TestLimitOfASubscription(t *testing.T) {
	l := limitedLocal(t, map[string]string{"throttle.arm-writes": "1"})
	counts := map[int]int{}
	for range 20 {
		p := arm.Principal{ObjectID: uuid.NewString(), AppID: uuid.NewString(), TenantID: l.inst.Tenant}
		token, _, err := l.server.issuer.Sign(p, "https://management.core.windows.net/", "", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		other := l
		other.raw = &raw{local: l.local, token: token, client: l.raw.client}
		counts[other.ask("PUT", l.group, `{"location":"westus"}`).Status]++
		refused(t, other.ask("PUT", l.group, `{"location":"westus"}`), "SubscriptionRequestsThrottled")
	}
	if counts[403] != 15 || counts[429] != 5 { // they have no rights
		t.Errorf("answers: %v", counts)
	}
}

// throttled wants Compute's own 429 for a group of operations.
func (l limited) throttled(t *testing.T, got reply, group string) {
	t.Helper()
	var body struct {
		Code    string
		Error   any
		Details []struct{ Code, Target, Message string }
	}
	if err := json.Unmarshal(got.Body, &body); err != nil || got.Status != 429 || body.Error != nil || body.Code != "OperationNotAllowed" || len(body.Details) != 1 {
		t.Fatalf("%d: %s", got.Status, got.Body)
	}
	var detail struct {
		OperationGroup                            string
		StartTime, EndTime                        time.Time
		AllowedRequestCount, MeasuredRequestCount int
	}
	if err := json.Unmarshal([]byte(body.Details[0].Message), &detail); err != nil {
		t.Fatal(err)
	}
	if body.Details[0].Code != "TooManyRequests" || body.Details[0].Target != group || detail.OperationGroup != group ||
		!detail.EndTime.After(detail.StartTime) || detail.AllowedRequestCount < 1 || detail.MeasuredRequestCount < 1 {
		t.Errorf("%s", got.Body)
	}
	if got.Header.Get(resourceLeft) != "Microsoft.Compute/"+group+";0" || got.Header.Get("x-ms-request-charge") != "1" || got.Header.Get("Retry-After") != "1200000" {
		t.Errorf("%v", got.Header)
	}
}

// TestLimitsOfCompute empties the buckets of one machine and those of the region.
func TestLimitsOfCompute(t *testing.T) {
	tags := `{"tags":{"a":"b"}}`
	list := "/providers/Microsoft.Compute/virtualMachines"
	for name, c := range map[string]struct {
		setting, group, other string
		spend                 func(l limited) reply
	}{
		"a tag PATCH spends PutVM":   {"throttle.PutVM.vm", "PutVMResource", "PutVMSubscriptionMaximum;1498", func(l limited) reply { return l.ask("PATCH", l.vm, tags) }},
		"PutVM of the region":        {"throttle.PutVM", "PutVMSubscriptionMaximum", "PutVMResource;10", func(l limited) reply { return l.ask("PATCH", l.vm, tags) }},
		"start spends UpdateVM":      {"throttle.UpdateVM.vm", "UpdateVMResource", "UpdateVMSubscriptionMaximum;1499", func(l limited) reply { return l.ask("POST", l.vm+"/start", "") }},
		"deallocate spends DeleteVM": {"throttle.DeleteVM.vm", "DeleteVMResource", "DeleteVMSubscriptionMaximum;1499", func(l limited) reply { return l.ask("POST", l.vm+"/deallocate", "") }},
		"a GET spends LowCostGet":    {"throttle.LowCostGet.vm", "LowCostGetResource", "LowCostGetSubscriptionMaximum;", func(l limited) reply { return l.ask("GET", l.vm, "") }},
		"a list spends HighCostGet":  {"throttle.HighCostGet", "HighCostGetSubscriptionMaximum", "", func(l limited) reply { return l.ask("GET", l.group+list, "") }},
	} {
		t.Run(name, func(t *testing.T) {
			l := limitedLocal(t, map[string]string{c.setting: "1"})
			got := l.ok(t, c.spend(l))
			left := got.Header.Get(resourceLeft)
			if !strings.Contains(left, "Microsoft.Compute/"+c.group+";0") || !strings.Contains(left, c.other) {
				t.Errorf("left: %s", left)
			}
			l.throttled(t, c.spend(l), c.group)
			l.set(t, map[string]string{"throttling": "off"})
			if again := c.spend(l); again.Status == 429 || !strings.Contains(again.Header.Get(resourceLeft), c.group+";0") {
				t.Errorf("not in force: %d %v", again.Status, again.Header)
			}
		})
	}
}

// TestLimitOfPolls empties a machine's bucket for the polls of its operations; those of
// another operation of its own are in it too.
func TestLimitOfPolls(t *testing.T) {
	l := limitedLocal(t, map[string]string{"throttle.GetOperation.vm": "2"})
	url := l.ok(t, l.ask("POST", l.vm+"/restart", "")).Header.Get("Azure-AsyncOperation")
	for left := 1; left >= 0; left-- {
		if got := l.ok(t, l.do(l.ctx, "GET", url, "")); !strings.HasSuffix(got.Header.Get(resourceLeft), fmt.Sprintf(",Microsoft.Compute/GetOperationResource;%d", left)) {
			t.Errorf("%v", got.Header)
		}
	}
	l.throttled(t, l.do(l.ctx, "GET", url, ""), "GetOperationResource")
	l.ok(t, l.ask("GET", l.vm, ""))
}

// TestLimitsOfNetwork counts reads and writes of the provider, whoever asks.
func TestLimitsOfNetwork(t *testing.T) {
	l := limitedLocal(t, map[string]string{"throttle.network-reads": "2", "throttle.network-writes": "1"})
	l.ok(t, l.ask("GET", l.net+"/virtualNetworks", ""))
	l.ok(t, l.ask("GET", l.net+"/networkSecurityGroups/nsg", ""))
	text := refused(t, l.ask("GET", l.net+"/virtualNetworks", ""), "ResourceRequestsThrottled")
	if !strings.Contains(text, "'Microsoft.Network/virtualNetworks/read' exceeded the limit of '2' for time interval '00:05:00'") {
		t.Error(text)
	}
	l.ok(t, l.ask("PATCH", l.net+"/networkSecurityGroups/nsg", `{"tags":{"a":"b"}}`))
	refused(t, l.ask("PATCH", l.net+"/networkSecurityGroups/nsg", `{"tags":{"a":"b"}}`), "ResourceRequestsThrottled")
	l.ok(t, l.ask("GET", l.vm, ""))
}

// TestRateNames shows the names that were recorded: those of 2022 to old api-versions, and
// nothing of Compute's where ARM answers by itself.
func TestRateNames(t *testing.T) {
	l := limitedLocal(t, map[string]string{})
	for _, c := range []struct{ version, want string }{
		{"2022-11-01", "Microsoft.Compute/LowCostGet3Min;3998,Microsoft.Compute/LowCostGet30Min;31998"},
		{"2022-11-01", "Microsoft.Compute/LowCostGet3Min;3997,Microsoft.Compute/LowCostGet30Min;31997"},
		{"2025-04-01", "Microsoft.Compute/LowCostGetSubscriptionMaximum;23996,Microsoft.Compute/LowCostGetResource;32"},
	} {
		got := l.ok(t, l.do(l.ctx, "GET", l.vm+"?api-version="+c.version, ""))
		if left := got.Header.Get(resourceLeft); left != c.want {
			t.Errorf("%s: %s", c.version, left)
		}
	}
	got := l.ask("GET", l.group+"/providers/Microsoft.Compute/virtualMachines/none", "")
	if got.Status != 404 || got.Header.Get(resourceLeft) != "" || got.Header.Get(readsLeft) == "" {
		t.Errorf("a machine that does not exist: %d %v", got.Status, got.Header)
	}
	l.token = ""
	if got := l.ask("GET", l.vm, ""); got.Status != 401 || got.Header.Get(readsLeft) != "" {
		t.Errorf("without a token: %d %v", got.Status, got.Header)
	}
}
