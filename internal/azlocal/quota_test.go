package azlocal

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/azlocal/fabric"
)

// TestQuotaOfMachines refuses one machine more than may be in a region, whatever its size.
func TestQuotaOfMachines(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	l.set(t, map[string]string{"quota.virtualMachines": "1"})
	err := c.try(ctx, "next", c.machine(nil))
	wantCode(t, err, 409, "OperationNotAllowed")
	if !strings.Contains(err.Error(), "Current Limit: 1, Current Usage: 1, Additional Required: 1, (Minimum) New Limit Required: 2") {
		t.Error(err)
	}
	l.set(t, map[string]string{"quota.virtualMachines": "2"})
	if err := c.try(ctx, "next", c.machine(nil)); err != nil {
		t.Error(err)
	}
}

// TestQuotaOfASize wants room for the difference when a machine gets another size: in the
// region, and in the family, all of it when the family is another.
func TestQuotaOfASize(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx) // two cores
	resize := func(size string) error {
		p, err := c.vms.BeginUpdate(ctx, "rg", "vm", armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes(size))}}}, nil)
		if err == nil {
			_, err = p.PollUntilDone(ctx, nil)
		}
		return err
	}
	for _, refused := range []struct{ setting, size, text string }{
		{"quota.cores", "Standard_B4ms", "Total Regional Cores quota"},
		{"quota.standardBSFamily", "Standard_B4ms", "standardBSFamily Cores quota"},
		{"quota.standardDSv5Family", "Standard_D4s_v5", "Current Limit: 3, Current Usage: 0, Additional Required: 4"},
	} {
		l.set(t, map[string]string{refused.setting: "3"})
		err := resize(refused.size)
		wantCode(t, err, 409, "OperationNotAllowed")
		if !strings.Contains(err.Error(), refused.text) {
			t.Errorf("%s: %v", refused.setting, err)
		}
		l.set(t, map[string]string{refused.setting: ""})
	}
	l.set(t, map[string]string{"quota.cores": "4", "quota.standardBSFamily": "4"})
	if err := resize("Standard_B4ms"); err != nil {
		t.Error(err)
	}
	if err := resize("Standard_B1s"); err != nil { // less is always allowed
		t.Error(err)
	}
}

// TestQuotaOfADeallocatedMachine refuses a start whose cores are in use by another, where
// deallocated machines do not count; where they count, it is never refused.
func TestQuotaOfADeallocatedMachine(t *testing.T) {
	for _, answer := range []string{"free", "count"} {
		t.Run(answer, func(t *testing.T) {
			l := startLocal(t, map[string]string{fabric.DeallocatedQuota: answer})
			c, ctx := l.sdk(l.credential()), within(t)
			c.prepare(ctx)
			c.create(ctx)
			c.deallocate(ctx, "vm")
			l.set(t, map[string]string{"quota.cores": "2"})
			err := c.try(ctx, "next", c.machine(nil))
			if answer == "count" {
				wantCode(t, err, 409, "OperationNotAllowed")
				if err := c.start(ctx, "vm"); err != nil {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, c.start(ctx, "vm"), 409, "OperationNotAllowed")
			l.set(t, map[string]string{"quota.cores": "4"})
			if err := c.start(ctx, "vm"); err != nil {
				t.Error(err)
			}
		})
	}
}
