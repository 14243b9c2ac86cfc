package azlocal

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
)

// TestReservedInterface refuses a create with an interface of its own and wants the
// interface kept for that machine until the reservation ends.
func TestReservedInterface(t *testing.T) {
	l := startLocal(t, nil)
	l.set(t, map[string]string{fabric.NICReservation: "1h"})
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	put, err := c.interfaces.BeginCreateOrUpdate(ctx, "rg", "nic", armnetwork.Interface{Location: new("westus"), Properties: &armnetwork.InterfacePropertiesFormat{
		IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: new("ip"), Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
			Subnet: &armnetwork.Subnet{ID: new(c.id("Microsoft.Network/virtualNetworks/vnet/subnets/default"))}}}}}}, nil)
	nic := done(ctx, t, put, err)
	spec := c.machine(nil)
	spec.Properties.NetworkProfile = &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{ID: nic.ID}}}
	create := func(name string) error {
		p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", name, spec, nil)
		if err == nil {
			_, err = p.PollUntilDone(ctx, nil)
		}
		return err
	}
	remove := func() error {
		p, err := c.interfaces.BeginDelete(ctx, "rg", "nic", nil)
		if err == nil {
			_, err = p.PollUntilDone(ctx, nil)
		}
		return err
	}
	refuse := func() {
		t.Helper()
		c.fault(fault.Rule{On: onPut, Times: 1, Effect: fault.Refuse, Status: 409, Code: "SkuNotAvailable"})
		wantCode(t, create("vm"), 409, "SkuNotAvailable")
	}
	refuse()
	wantCode(t, remove(), 400, "NicReservedForAnotherVm")
	wantCode(t, create("other"), 400, "NicReservedForAnotherVm")
	if err := create("vm"); err != nil { // it is this one's
		t.Fatal(err)
	}
	del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
	done(ctx, t, del, err)

	spec.Properties.StorageProfile.OSDisk.Name = new("vm-os2") // the first may still be about to go
	l.set(t, map[string]string{"quota.cores": "0"})
	wantCode(t, create("vm"), 409, "OperationNotAllowed")
	wantCode(t, remove(), 400, "NicReservedForAnotherVm")
	l.set(t, map[string]string{"quota.cores": "", fabric.NICReservation: "0s"})
	refuse()
	if err := remove(); err != nil {
		t.Fatal(err)
	}
}
