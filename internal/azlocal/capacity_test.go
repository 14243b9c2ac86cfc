package azlocal

import (
	"context"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
)

// try makes a machine and returns how that ended.
func (c *clients) try(ctx context.Context, name string, v armcompute.VirtualMachine) error {
	v.Properties.StorageProfile.OSDisk.Name = new(name + "-os")
	p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", name, v, nil)
	if err == nil {
		_, err = p.PollUntilDone(ctx, nil)
	}
	return err
}

func (c *clients) start(ctx context.Context, name string) error {
	p, err := c.vms.BeginStart(ctx, "rg", name, nil)
	if err == nil {
		_, err = p.PollUntilDone(ctx, nil)
	}
	return err
}

func (c *clients) deallocate(ctx context.Context, name string) {
	c.t.Helper()
	p, err := c.vms.BeginDeallocate(ctx, "rg", name, nil)
	done(ctx, c.t, p, err)
}

// TestCapacity makes as many machines of a size as fit. The next is refused, at once or when
// its operation runs, as is the start of one that has given up its place; a machine of
// another size, or in the place of one that is gone, is made.
func TestCapacity(t *testing.T) {
	for value, want := range map[string]struct {
		status int
		code   string
	}{
		"1":                 {409, "SkuNotAvailable"},
		"1:none":            {409, "SkuNotAvailable"},
		"1:allocation":      {200, "AllocationFailed"},
		"1:zonal":           {200, "ZonalAllocationFailed"},
		"1:overconstrained": {200, "OverconstrainedAllocationRequest"},
	} {
		t.Run(value, func(t *testing.T) {
			l := startLocal(t, nil)
			c, ctx := l.sdk(l.credential()), within(t)
			c.prepare(ctx)
			l.set(t, map[string]string{"capacity.Standard_B2s": value, "capacity.Standard_B2s@eastus": "none"})
			c.create(ctx)
			wantCode(t, c.try(ctx, "next", c.machine(nil)), want.status, want.code)
			next, err := c.vms.Get(ctx, "rg", "next", nil)
			if want.status == 200 {
				if err != nil || *next.Properties.ProvisioningState != "Failed" {
					t.Errorf("a machine that failed later is there: %v", err)
				}
			} else {
				wantCode(t, err, 404, "ResourceNotFound")
			}
			other := c.machine(nil)
			other.Properties.HardwareProfile.VMSize = new(armcompute.VirtualMachineSizeTypes("Standard_B2ms"))
			if err := c.try(ctx, "other", other); err != nil {
				t.Errorf("another size: %v", err)
			}

			c.deallocate(ctx, "vm")
			if err := c.try(ctx, "instead", c.machine(nil)); err != nil {
				t.Errorf("in its place: %v", err)
			}
			wantCode(t, c.start(ctx, "vm"), want.status, want.code)
			if p := powerState(c.view(ctx)); p != "deallocated" {
				t.Errorf("after a start that was refused: %q", p)
			}
			del, err := c.vms.BeginDelete(ctx, "rg", "instead", nil)
			done(ctx, t, del, err)
			if err := c.start(ctx, "vm"); err != nil {
				t.Errorf("with room again: %v", err)
			}
		})
	}
}

// TestCapacityOfARegion refuses a size where the setting says so, and says which.
func TestCapacityOfARegion(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	l.set(t, map[string]string{"capacity.standard_b2s@WestUS": "none"})
	err := c.try(ctx, "vm", c.machine(nil))
	wantCode(t, err, 409, "SkuNotAvailable")
	if !strings.Contains(err.Error(), "Capacity Restrictions: Standard_B2s' is currently not available in location 'westus'") {
		t.Error(err)
	}
	l.set(t, map[string]string{"capacity.Standard_B2s@westus": "", "capacity.Standard_B2s@eastus": "none"})
	c.create(ctx)
}

// TestRestriction refuses a size that the subscription may not use, and shows it in the list
// of SKUs.
func TestRestriction(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	skus := must[*armcompute.ResourceSKUsClient](t)(armcompute.NewResourceSKUsClient(l.inst.Subscription, l.credential(), l.options()))
	restricted := func() (out []string) {
		for p := skus.NewListPager(&armcompute.ResourceSKUsClientListOptions{Filter: new("location eq 'westus'")}); p.More(); {
			for _, sku := range must[armcompute.ResourceSKUsClientListResponse](t)(p.NextPage(ctx)).Value {
				for _, r := range sku.Restrictions {
					out = append(out, *sku.Name+" "+string(*r.ReasonCode)+" "+*r.RestrictionInfo.Locations[0])
				}
			}
		}
		return out
	}
	l.set(t, map[string]string{"restriction.Standard_B2s@westus": "NotAvailableForSubscription"})
	if got := restricted(); len(got) != 1 || got[0] != "Standard_B2s NotAvailableForSubscription westus" {
		t.Errorf("restricted: %v", got)
	}
	err := c.try(ctx, "vm", c.machine(nil))
	wantCode(t, err, 409, "SkuNotAvailable")
	if !strings.Contains(err.Error(), "for subscription '"+l.inst.Subscription+"'") {
		t.Error(err)
	}
	l.set(t, map[string]string{"restriction.Standard_B2s@westus": "", "restriction.Standard_B2s@eastus": "QuotaId"})
	if got := restricted(); len(got) != 0 {
		t.Errorf("restricted: %v", got)
	}
	c.create(ctx)
}

// TestReclaim takes capacity back: the Spot machine that fits no more is evicted, the
// regular one stays.
func TestReclaim(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	l.set(t, map[string]string{fabric.EvictionNotice: "10ms"})
	regular := c.spot("")
	regular.Properties.Priority = nil
	for name, v := range map[string]armcompute.VirtualMachine{"spot": c.spot("Deallocate"), "regular": regular} {
		if err := c.try(ctx, name, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, value := range []string{"2", "none"} {
		l.set(t, map[string]string{"capacity.Standard_D2s_v5": value})
		if err := l.server.world.Update(l.server.compute.Reclaim); err != nil {
			t.Fatal(err)
		}
		if value == "2" {
			c.until(ctx, "running", func(all []compute.VMStatus) bool {
				return all[0].Power == compute.Running && all[1].Power == compute.Running
			})
		}
	}
	c.until(ctx, "evicted", func(all []compute.VMStatus) bool {
		return all[0].Name == "regular" && all[0].Power == compute.Running && all[1].Power == compute.Deallocated
	})
	wantCode(t, c.start(ctx, "spot"), 409, "SkuNotAvailable")
}

// TestCapacityValues refuses what is no capacity.
func TestCapacityValues(t *testing.T) {
	l := startLocal(t, nil)
	for name, value := range map[string]string{"capacity.Standard_B2s": "1:later", "capacity.Standard_B2s@westus": "-1", "capacity.Standard_none": "1",
		"capacity.Standard_B2ms": "some", "restriction.Standard_B2s": "yes", "capacity.Standard_B2s@mars": "1", "capacity.Standard_D2s_v5": "none:1"} {
		if l.server.world.Settings.Choose(map[string]string{name: value}) == nil {
			t.Errorf("%s=%s was accepted", name, value)
		}
	}
	l.set(t, map[string]string{"capacity.Standard_B2s": "3:zonal"})
}
