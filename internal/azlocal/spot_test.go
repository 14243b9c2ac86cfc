package azlocal

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/imds"
)

// spot is a machine that can be evicted.
func (c *clients) spot(policy string) armcompute.VirtualMachine {
	v := c.machine(nil)
	v.Properties.HardwareProfile.VMSize = new(armcompute.VirtualMachineSizeTypes("Standard_D2s_v5"))
	v.Properties.Priority = new(armcompute.VirtualMachinePriorityTypesSpot)
	if policy != "" {
		v.Properties.EvictionPolicy = new(armcompute.VirtualMachineEvictionPolicyTypes(policy))
	}
	return v
}

func (l *local) set(t testing.TB, values map[string]string) {
	t.Helper()
	if err := l.server.world.Settings.Choose(values); err != nil {
		t.Fatal(err)
	}
}

// TestSpotRefusals lists what Spot cannot do; the good one beside them is accepted.
func TestSpotRefusals(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	for name, bad := range map[string]struct {
		change func(*armcompute.VirtualMachineProperties)
		status int
		code   string
	}{
		"burstable": {func(p *armcompute.VirtualMachineProperties) {
			p.HardwareProfile.VMSize = new(armcompute.VirtualMachineSizeTypes("Standard_B2s"))
		}, 400, "AzureSpotIsNotSupportedForThisVMSize"},
		"policy without Spot": {func(p *armcompute.VirtualMachineProperties) { p.Priority = nil }, 400, "EvictionPolicyCanBeSetOnlyOnAzureSpotVirtualMachines"},
		"price without Spot": {func(p *armcompute.VirtualMachineProperties) {
			p.Priority, p.EvictionPolicy, p.BillingProfile = nil, nil, &armcompute.BillingProfile{MaxPrice: new(1.0)}
		}, 400, "MaxPriceIsSupportedOnlyForAzureSpotVirtualMachines"},
		"policy": {func(p *armcompute.VirtualMachineProperties) {
			p.EvictionPolicy = new(armcompute.VirtualMachineEvictionPolicyTypes("Keep"))
		}, 400, "InvalidParameter"},
		"no price": {func(p *armcompute.VirtualMachineProperties) {
			p.BillingProfile = &armcompute.BillingProfile{MaxPrice: new(0.0)}
		}, 400, "MaxPriceValueInvalid"},
		"too cheap": {func(p *armcompute.VirtualMachineProperties) {
			p.BillingProfile = &armcompute.BillingProfile{MaxPrice: new(0.001)}
		}, 409, "SpotPriceGreaterThanProvidedMaxPrice"},
	} {
		v := c.spot("Delete")
		bad.change(v.Properties)
		_, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", v, nil)
		t.Log(name)
		wantCode(t, err, bad.status, bad.code)
	}
	v := c.spot("")
	v.Properties.BillingProfile = &armcompute.BillingProfile{MaxPrice: new(0.09)}
	p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", v, nil)
	made := done(ctx, t, p, err)
	if *made.Properties.EvictionPolicy != armcompute.VirtualMachineEvictionPolicyTypesDeallocate || *made.Properties.BillingProfile.MaxPrice != 0.09 {
		t.Fatalf("made: %+v", made.Properties)
	}
	_, err = c.vms.BeginUpdate(ctx, "rg", "vm", armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{BillingProfile: &armcompute.BillingProfile{MaxPrice: new(0.08)}}}, nil)
	wantCode(t, err, 409, "MaxPriceChangeNotAllowedForAllocatedVMs")
}

type scheduled struct {
	DocumentIncarnation int
	Events              []struct {
		EventID, EventType, EventStatus, NotBefore string
		Resources                                  []string
	}
}

func (c *clients) events() (s scheduled) {
	c.t.Helper()
	rec := c.askIMDS("vm", "/metadata/scheduledevents?api-version=2020-07-01", metadata)
	if err := json.Unmarshal(rec.Body.Bytes(), &s); err != nil || rec.Code != 200 {
		c.t.Fatalf("events: %d %s", rec.Code, rec.Body)
	}
	return s
}

// approve consents to an event by id.
func (c *clients) approve(id string) int {
	c.t.Helper()
	key := ""
	c.server.world.View(func(t *fabric.Tx) { key = compute.Status(t)[0].Key })
	req := httptest.NewRequest(http.MethodPost, "/metadata/scheduledevents?api-version=2020-07-01", bytes.NewBufferString(`{"StartRequests":[{"EventId":"`+id+`"}]}`))
	req.Header = metadata
	rec := httptest.NewRecorder()
	(&imds.Handler{World: c.server.world, Issuer: c.server.issuer, Compute: c.server.compute, Key: key}).ServeHTTP(rec, req)
	return rec.Code
}

// until waits for a state of the test's machine.
func (c *clients) until(ctx context.Context, what string, ok func([]compute.VMStatus) bool) {
	c.t.Helper()
	await(ctx, c.t, what, func() bool {
		var all []compute.VMStatus
		c.server.world.View(func(t *fabric.Tx) { all = compute.Status(t) })
		return ok(all)
	})
}

// TestEvictionAnnounced follows a machine that is deallocated: no event before the service
// is on, a Preempt event then, an early start by consent, and a start afterwards.
func TestEvictionAnnounced(t *testing.T) {
	l := startLocal(t, nil)
	l.set(t, map[string]string{fabric.EvictionNotice: "1h"})
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.spot("Deallocate"), nil)
	done(ctx, t, p, err)
	first := c.events()
	if len(first.Events) != 0 {
		t.Fatalf("events before any: %+v", first)
	}
	etag := func() (s string) {
		l.server.world.View(func(tx *fabric.Tx) { s = tx.Peek(c.id("Microsoft.Compute/virtualMachines/vm")).Body.Str("etag") })
		return s
	}
	before := etag()
	must[armcompute.VirtualMachinesClientSimulateEvictionResponse](t)(c.vms.SimulateEviction(ctx, "rg", "vm", nil))
	must[armcompute.VirtualMachinesClientSimulateEvictionResponse](t)(c.vms.SimulateEviction(ctx, "rg", "vm", nil))
	s := c.events()
	if len(s.Events) != 1 || s.Events[0].EventType != "Preempt" || s.Events[0].EventStatus != "Scheduled" || s.Events[0].Resources[0] != "vm" || s.DocumentIncarnation != first.DocumentIncarnation+1 {
		t.Fatalf("events: %+v", s)
	}
	if at, err := http.ParseTime(s.Events[0].NotBefore); err != nil || time.Until(at) < 50*time.Minute {
		t.Fatalf("not before: %v, %v", at, err)
	}
	if etag() != before {
		t.Error("an event changed the machine's ETag")
	}
	if code := c.approve("00000000-0000-0000-0000-000000000000"); code != 400 {
		t.Errorf("consent to an unknown event: %d", code)
	}
	if code := c.approve(s.Events[0].EventID); code != 200 {
		t.Errorf("consent: %d", code)
	}
	c.until(ctx, "deallocated", func(all []compute.VMStatus) bool { return all[0].Power == compute.Deallocated && !all[0].Billed })
	if s := c.events(); len(s.Events) != 0 {
		t.Fatalf("events after the eviction: %+v", s)
	}
	vm := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil))
	if *vm.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("provisioning state %s", *vm.Properties.ProvisioningState)
	}
	if !strings.Contains(l.activity(t), `"EvictSpotVM"`) {
		t.Error("the activity log does not tell of the eviction")
	}
	_, err = c.vms.SimulateEviction(ctx, "rg", "vm", nil)
	wantCode(t, err, 409, "OperationNotAllowed")
	start, err := c.vms.BeginStart(ctx, "rg", "vm", nil)
	done(ctx, t, start, err)
}

// TestEvictionDeletes takes a machine away with everything that its deleteOptions name, and
// goes on after a restart in the midst of the notice.
func TestEvictionDeletes(t *testing.T) {
	l := startLocal(t, nil)
	l.inst.Settings = map[string]string{fabric.EvictionNotice: "300ms"}
	l.set(t, l.inst.Settings)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.spot("Delete"), nil)
	done(ctx, t, p, err)
	must[armcompute.VirtualMachinesClientSimulateEvictionResponse](t)(c.vms.SimulateEviction(ctx, "rg", "vm", nil))
	if err := l.server.close(); err != nil {
		t.Fatal(err)
	}
	l.open(false)
	c = l.sdk(l.credential())
	c.until(ctx, "gone", func(all []compute.VMStatus) bool { return len(all) == 0 })
	c.eventuallyEmpty(ctx)
	_, err = c.vms.Get(ctx, "rg", "vm", nil)
	wantCode(t, err, 404, "ResourceNotFound")
}

// TestRegularMachinesStay refuses to evict what is no Spot machine.
func TestRegularMachinesStay(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	_, err := c.vms.SimulateEviction(ctx, "rg", "vm", nil)
	wantCode(t, err, 409, "OperationNotAllowed")
	if p := powerState(c.view(ctx)); p != "running" {
		t.Fatalf("power state %q", p)
	}
}
