package azlocal

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
)

const (
	onPut        = "Microsoft.Compute/virtualMachines/write"
	onDeallocate = "Microsoft.Compute/virtualMachines/deallocate/action"
	onGet        = "Microsoft.Resources/subscriptions/resourceGroups/read"
)

// fault adds a rule and returns how to ask for its hits.
func (c *clients) fault(r fault.Rule) (hits func() int) {
	c.t.Helper()
	added := must[fault.Rule](c.t)(c.server.world.Faults.Add(r))
	return func() int {
		for _, r := range c.server.world.Faults.List() {
			if r.ID == added.ID {
				return r.Hits
			}
		}
		return -1
	}
}

// create makes the machine "vm".
func (c *clients) create(ctx context.Context) armcompute.VirtualMachinesClientCreateOrUpdateResponse {
	c.t.Helper()
	p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	return done(ctx, c.t, p, err)
}

func (c *clients) view(ctx context.Context) *armcompute.VirtualMachineInstanceView {
	c.t.Helper()
	v := must[armcompute.VirtualMachinesClientInstanceViewResponse](c.t)(c.vms.InstanceView(ctx, "rg", "vm", nil))
	return &v.VirtualMachineInstanceView
}

// TestRefusedByFault sees a refusal once, with its code and Retry-After, and then the truth.
func TestRefusedByFault(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	hits := c.fault(fault.Rule{On: onGet, Times: 1, Effect: fault.Refuse, Status: 429, RetryAfter: 7})
	_, err := c.groups.Get(ctx, "rg", nil)
	wantCode(t, err, 429, "TooManyRequests")
	if re, ok := errors.AsType[*azcore.ResponseError](err); !ok || re.RawResponse.Header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After: %v", err)
	}
	must[armresources.ResourceGroupsClientGetResponse](t)(c.groups.Get(ctx, "rg", nil))
	if hits() != 1 {
		t.Errorf("%d hits", hits())
	}

	c.fault(fault.Rule{On: onPut, Times: 1, Match: map[string]string{"properties.hardwareProfile.vmSize": "standard_b2S"}, Effect: fault.Refuse, Status: 409, Code: "SkuNotAvailable"})
	_, err = c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	wantCode(t, err, 409, "SkuNotAvailable")
	if !strings.Contains(err.Error(), "Standard_B2s' is currently not available in location 'westus'") {
		t.Errorf("text: %v", err)
	}
	_, err = c.vms.Get(ctx, "rg", "vm", nil)
	wantCode(t, err, 404, "ResourceNotFound")
}

// TestThrottledByCompute wants the body without an envelope that only compute sends.
func TestThrottledByCompute(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.fault(fault.Rule{On: "*virtualMachines/read", Times: 2, Effect: fault.Throttle})
	r := l.raw(ctx)
	got := r.do(ctx, "GET", c.id("Microsoft.Compute/virtualMachines")+"?api-version=2025-04-01", "")
	var body struct {
		Code    string
		Error   any
		Details []struct{ Code, Target, Message string }
	}
	if err := json.Unmarshal(got.Body, &body); err != nil || got.Status != 429 || got.Header.Get("Retry-After") != "1200" || body.Error != nil ||
		body.Code != "OperationNotAllowed" || body.Details[0].Code != "TooManyRequests" || body.Details[0].Target != "HighCostGetSubscriptionMaximum" {
		t.Fatalf("%v: %d %v %s", err, got.Status, got.Header, got.Body)
	}
	_, err := c.vms.NewListPager("rg", nil).NextPage(ctx)
	wantCode(t, err, 429, "OperationNotAllowed")
	must[armcompute.VirtualMachinesClientListResponse](t)(c.vms.NewListPager("rg", nil).NextPage(ctx))
}

// TestCreateFails wants a machine without capacity to stay, failed, holding its interface,
// and one whose guest was waited for in vain to run and to be billed.
func TestCreateFails(t *testing.T) {
	for code, power := range map[string]string{"AllocationFailed": "", "OSProvisioningTimedOut": "running"} {
		t.Run(code, func(t *testing.T) {
			l := startLocal(t, nil)
			c, ctx := l.sdk(l.credential()), within(t)
			c.prepare(ctx)
			c.fault(fault.Rule{On: onPut, Times: 1, Effect: fault.Fail, Code: code})
			p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.PollUntilDone(ctx, nil)
			wantCode(t, err, 200, code)
			vm := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil))
			view := c.view(ctx)
			if *vm.Properties.ProvisioningState != "Failed" || *view.Statuses[0].Code != "ProvisioningState/failed/"+code || powerState(view) != power {
				t.Fatalf("%s, %s, %q", *vm.Properties.ProvisioningState, *view.Statuses[0].Code, powerState(view))
			}
			nic := *vm.Properties.NetworkProfile.NetworkInterfaces[0].ID
			_, err = c.interfaces.BeginDelete(ctx, "rg", nic[strings.LastIndex(nic, "/")+1:], nil)
			wantCode(t, err, 400, "NicInUse")
			del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
			done(ctx, t, del, err)
			c.eventuallyEmpty(ctx)
		})
	}
}

// TestStartFails wants a machine that gets no host again to stay deallocated, and a
// deallocation that fails to leave it running.
func TestStartFails(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	c.fault(fault.Rule{On: onDeallocate, Times: 1, Effect: fault.Fail, Code: "InternalExecutionError"})
	stop, err := c.vms.BeginDeallocate(ctx, "rg", "vm", nil)
	if err == nil {
		_, err = stop.PollUntilDone(ctx, nil)
	}
	wantCode(t, err, 200, "InternalExecutionError")
	if p := powerState(c.view(ctx)); p != "running" {
		t.Fatalf("after a failed deallocation: %q", p)
	}
	stop, err = c.vms.BeginDeallocate(ctx, "rg", "vm", nil)
	done(ctx, t, stop, err)
	c.fault(fault.Rule{On: "*/start/action", Times: 1, Effect: fault.Fail, Code: "AllocationFailed"})
	start, err := c.vms.BeginStart(ctx, "rg", "vm", nil)
	if err == nil {
		_, err = start.PollUntilDone(ctx, nil)
	}
	wantCode(t, err, 200, "AllocationFailed")
	if p := powerState(c.view(ctx)); p != "deallocated" {
		t.Fatalf("after a failed start: %q", p)
	}
	start, err = c.vms.BeginStart(ctx, "rg", "vm", nil)
	done(ctx, t, start, err)
}

// TestNeverFinishes leaves a create in progress until a deletion preempts it.
func TestNeverFinishes(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.fault(fault.Rule{On: onPut, Times: 1, Effect: fault.NeverFinish})
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := create.PollUntilDone(short, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("it finished: %v", err)
	}
	del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
	done(ctx, t, del, err)
	_, err = create.PollUntilDone(ctx, nil)
	wantCode(t, err, 200, "OperationPreempted")
}

// TestDropped cuts the connection before and after the work, and looks at what was done.
func TestDropped(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.fault(fault.Rule{On: onPut, Times: 1, Effect: fault.DropBefore})
	c.fault(fault.Rule{On: onPut, Times: 1, Effect: fault.DropAfter})
	for i, exists := range []bool{false, true} {
		_, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
		if re, ok := errors.AsType[*azcore.ResponseError](err); err == nil || ok {
			t.Fatalf("an answer came: %v, %v", err, re)
		}
		found := false
		l.server.world.View(func(t *fabric.Tx) { found = len(compute.Status(t)) == 1 })
		if found != exists {
			t.Fatalf("drop %d: the machine exists: %v", i, found)
		}
	}
}

// TestDelayed serves late. What is asked meanwhile is served at once.
func TestDelayed(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.fault(fault.Rule{On: onGet, Times: 1, Effect: fault.Delay, Wait: 0.3})
	for _, late := range []bool{true, false} {
		began := time.Now()
		must[armresources.ResourceGroupsClientGetResponse](t)(c.groups.Get(ctx, "rg", nil))
		if took := time.Since(began); late && took < 300*time.Millisecond {
			t.Errorf("served after %v", took)
		}
	}
}

// TestSynchronousRequestCannotFailLater refuses at once what starts no operation, and
// leaves nothing done.
func TestSynchronousRequestCannotFailLater(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.fault(fault.Rule{On: "Microsoft.Resources/tags/write", Times: 1, Effect: fault.Fail, Code: "InternalExecutionError"})
	merge := func() error {
		_, err := c.tags.BeginUpdateAtScope(ctx, "/subscriptions/"+l.inst.Subscription+"/resourceGroups/rg", armresources.TagsPatchResource{
			Operation: new(armresources.TagsPatchOperationMerge), Properties: &armresources.Tags{Tags: map[string]*string{"k": new("v")}}}, nil)
		return err
	}
	wantCode(t, merge(), 409, "InternalExecutionError")
	if g := must[armresources.ResourceGroupsClientGetResponse](t)(c.groups.Get(ctx, "rg", nil)); len(g.Tags) != 0 {
		t.Fatalf("tags: %v", g.Tags)
	}
	if err := merge(); err != nil {
		t.Fatal(err)
	}
}

// TestPartialCascade keeps the interface of a machine that is gone, as a cascade that fails does.
func TestPartialCascade(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	vm := c.create(ctx)
	hits := c.fault(fault.Rule{On: "Microsoft.Network/networkInterfaces/delete", Times: 1, Effect: fault.Refuse, Status: 409, Code: "AnotherOperationInProgress"})
	del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
	done(ctx, t, del, err)
	await(ctx, t, "came the cascade to the interface", func() bool { return hits() > 0 })
	nic := *vm.Properties.NetworkProfile.NetworkInterfaces[0].ID
	left := false
	l.server.world.View(func(t *fabric.Tx) { left = t.Peek(nic) != nil })
	if !left {
		t.Fatal("the interface is gone")
	}
	off, err := c.interfaces.BeginDelete(ctx, "rg", nic[strings.LastIndex(nic, "/")+1:], nil)
	done(ctx, t, off, err)
	c.eventuallyEmpty(ctx)
}

// TestFaultsOfTokens refuses a token at Entra and at IMDS, then gives it.
func TestFaultsOfTokens(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	c.fault(fault.Rule{On: fault.EntraToken, Times: 1, Effect: fault.Refuse, Status: 503})
	if _, err := l.sdk(l.credential()).groups.Get(ctx, "rg", nil); err == nil || !strings.Contains(err.Error(), "service_unavailable") {
		t.Fatalf("entra: %v", err)
	}
	must[armresources.ResourceGroupsClientGetResponse](t)(l.sdk(l.credential()).groups.Get(ctx, "rg", nil))

	const path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
	c.fault(fault.Rule{On: "imds:/metadata/identity/*", Resource: "*/vm", Times: 1, Effect: fault.Refuse, Status: 429, RetryAfter: 2})
	if rec := c.askIMDS("vm", path, metadata); rec.Code != 429 || rec.Header().Get("Retry-After") != "2" || !strings.Contains(rec.Body.String(), "too_many_requests") {
		t.Fatalf("imds: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	if rec := c.askIMDS("vm", path, metadata); rec.Code != 200 {
		t.Fatalf("imds: %d %s", rec.Code, rec.Body)
	}
	c.fault(fault.Rule{On: "imds:*", Times: 1, Effect: fault.DropBefore})
	func() {
		defer func() {
			if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				t.Errorf("the connection was not cut: %v", err)
			}
		}()
		_, _ = io.Discard.Write(c.askIMDS("vm", path, metadata).Body.Bytes())
	}()
}
