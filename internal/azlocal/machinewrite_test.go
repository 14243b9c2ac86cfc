package azlocal

import (
	"context"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
)

// made prepares a group and makes a machine in it.
func (c *clients) made(ctx context.Context, v armcompute.VirtualMachine) armcompute.VirtualMachine {
	c.t.Helper()
	c.prepare(ctx)
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", v, nil)
	return done(ctx, c.t, create, err).VirtualMachine
}

func (c *clients) power(ctx context.Context) string {
	c.t.Helper()
	return powerState(c.view(ctx))
}

// TestPutAgain writes a machine that exists: its own body changes nothing, what may change
// does, and what may not is refused by name.
func TestPutAgain(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	first := c.made(ctx, c.machine(map[string]*string{"a": new("1")}))
	put := func(change func(*armcompute.VirtualMachine)) (armcompute.VirtualMachine, error) {
		v := c.machine(map[string]*string{"a": new("1")})
		change(&v)
		p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", v, nil)
		if err != nil {
			return armcompute.VirtualMachine{}, err
		}
		return done(ctx, t, p, nil).VirtualMachine, nil
	}
	again, err := put(func(*armcompute.VirtualMachine) {})
	if err != nil || *again.Properties.VMID != *first.Properties.VMID || *again.Identity.PrincipalID != *first.Identity.PrincipalID || len(again.Tags) != 1 {
		t.Fatalf("the same body: %v, %+v", err, again)
	}
	larger, err := put(func(v *armcompute.VirtualMachine) {
		v.Properties.HardwareProfile.VMSize = new(armcompute.VirtualMachineSizeTypes("standard_b2MS"))
		v.Tags = nil
	})
	if err != nil || *larger.Properties.HardwareProfile.VMSize != "Standard_B2ms" || len(larger.Tags) != 0 || c.power(ctx) != "running" {
		t.Fatalf("another size: %v, %+v", err, larger)
	}
	bare, err := put(func(v *armcompute.VirtualMachine) {
		v.Identity.Type = new(armcompute.ResourceIdentityTypeNone)
	})
	if err != nil || bare.Identity != nil {
		t.Fatalf("no identity: %v, %+v", err, bare.Identity)
	}
	for name, bad := range map[string]func(*armcompute.VirtualMachine){
		"osProfile.customData":    func(v *armcompute.VirtualMachine) { v.Properties.OSProfile.CustomData = new("bmV3") },
		"osProfile.adminUsername": func(v *armcompute.VirtualMachine) { v.Properties.OSProfile.AdminUsername = new("another") },
		"osProfile.adminPassword": func(v *armcompute.VirtualMachine) { v.Properties.OSProfile.AdminPassword = new("Pa55word-x") },
		"osProfile.linuxConfiguration.ssh.publicKeys": func(v *armcompute.VirtualMachine) {
			v.Properties.OSProfile.LinuxConfiguration.SSH.PublicKeys[0].KeyData = new(testKey + "x")
		},
		"storageProfile.imageReference.sku": func(v *armcompute.VirtualMachine) { v.Properties.StorageProfile.ImageReference.SKU = new("12") },
		"storageProfile.osDisk.name":        func(v *armcompute.VirtualMachine) { v.Properties.StorageProfile.OSDisk.Name = new("other") },
		"priority": func(v *armcompute.VirtualMachine) {
			v.Properties.Priority = new(armcompute.VirtualMachinePriorityTypesSpot)
		},
		"zones": func(v *armcompute.VirtualMachine) { v.Zones = []*string{new("1")} },
		"networkProfile.networkInterfaceConfigurations": func(v *armcompute.VirtualMachine) {
			v.Properties.NetworkProfile.NetworkInterfaceConfigurations[0].Name = new("other")
		},
	} {
		_, err := put(bad)
		t.Log(name)
		wantCode(t, err, 409, "PropertyChangeNotAllowed")
		if !strings.Contains(err.Error(), "'"+name+"'") {
			t.Errorf("the refusal names another property: %v", err)
		}
	}
	_, err = put(func(v *armcompute.VirtualMachine) { v.Location = new("eastus") })
	wantCode(t, err, 409, "InvalidResourceLocation")
	_, err = put(func(v *armcompute.VirtualMachine) { v.Location = nil })
	wantCode(t, err, 400, "LocationRequired")
}

// TestPatch changes properties alone, and refuses sizes that are none or too small.
func TestPatch(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.made(ctx, c.machine(map[string]*string{"a": new("1")}))
	patch := func(u armcompute.VirtualMachineUpdate) (armcompute.VirtualMachine, error) {
		p, err := c.vms.BeginUpdate(ctx, "rg", "vm", u, nil)
		if err != nil {
			return armcompute.VirtualMachine{}, err
		}
		return done(ctx, t, p, nil).VirtualMachine, nil
	}
	size := func(name string) armcompute.VirtualMachineUpdate {
		return armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes(name))}}}
	}
	got, err := patch(size("Standard_D2s_v5"))
	if err != nil || *got.Properties.HardwareProfile.VMSize != "Standard_D2s_v5" || *got.Tags["a"] != "1" || *got.Properties.OSProfile.AdminUsername != "azureuser" {
		t.Fatalf("%v %+v", err, got)
	}
	_, err = patch(size("Standard_None"))
	wantCode(t, err, 400, "InvalidParameter")
	_, err = patch(size("Standard_D2ps_v5"))
	wantCode(t, err, 400, "BadRequest")
	l.set(t, map[string]string{"quota.standardBSFamily": "3"})
	_, err = patch(size("Standard_B4ms"))
	wantCode(t, err, 409, "OperationNotAllowed")
	if _, err = patch(size("Standard_B2s")); err != nil {
		t.Fatal(err)
	}
	got, err = patch(armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{UserData: new("c2VjcmV0")}})
	if err != nil || got.Properties.UserData != nil {
		t.Fatalf("user data: %v %+v", err, got.Properties)
	}
	full := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", &armcompute.VirtualMachinesClientGetOptions{Expand: new(armcompute.InstanceViewTypesUserData)}))
	if full.Properties.UserData == nil || *full.Properties.UserData != "c2VjcmV0" {
		t.Fatalf("user data: %+v", full.Properties)
	}
	_, err = patch(armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{UserData: new("no base64")}})
	wantCode(t, err, 400, "InvalidParameter")
	_, err = patch(armcompute.VirtualMachineUpdate{Identity: &armcompute.VirtualMachineIdentity{Type: new(armcompute.ResourceIdentityTypeUserAssigned),
		UserAssignedIdentities: map[string]*armcompute.UserAssignedIdentitiesValue{c.id("Microsoft.ManagedIdentity/userAssignedIdentities/x"): {}}}})
	wantCode(t, err, 400, "FailedIdentityOperation")
	stale := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil)).Etag
	if _, err := patch(size("Standard_B2s")); err != nil {
		t.Fatal(err)
	}
	_, err = c.vms.BeginUpdate(ctx, "rg", "vm", size("Standard_B2s"), &armcompute.VirtualMachinesClientBeginUpdateOptions{IfMatch: stale})
	wantCode(t, err, 412, "PreconditionFailed")
}

// TestPutOnFailed tries a machine again that got no capacity, and refuses one that is
// being deleted.
func TestPutOnFailed(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.fault(fault.Rule{On: onPut, Times: 1, Effect: fault.Fail, Code: "AllocationFailed"})
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = create.PollUntilDone(ctx, nil)
	wantCode(t, err, 200, "AllocationFailed")
	_, err = c.vms.BeginStart(ctx, "rg", "vm", nil)
	wantCode(t, err, 409, "OperationNotAllowed")
	again, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	done(ctx, t, again, err)
	if p := c.power(ctx); p != "running" {
		t.Fatalf("power state %q", p)
	}
	l.set(t, map[string]string{"latency.delete": "1s"})
	del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	wantCode(t, err, 409, "OperationNotAllowed")
	_, err = c.vms.BeginStart(ctx, "rg", "vm", nil)
	wantCode(t, err, 409, "OperationNotAllowed")
	done(ctx, t, del, nil)
}

// TestPowerActions goes through the actions that are not in a machine's usual life.
func TestPowerActions(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.made(ctx, c.machine(nil))
	var key string
	_, err := c.vms.Generalize(ctx, "rg", "vm", nil)
	wantCode(t, err, 409, "OperationNotAllowed")
	redeploy, err := c.vms.BeginRedeploy(ctx, "rg", "vm", nil)
	done(ctx, t, redeploy, err)
	reapply, err := c.vms.BeginReapply(ctx, "rg", "vm", nil)
	done(ctx, t, reapply, err)
	if p := c.power(ctx); p != "running" {
		t.Fatalf("power state %q", p)
	}
	_, err = c.vms.BeginDeallocate(ctx, "rg", "vm", &armcompute.VirtualMachinesClientBeginDeallocateOptions{Hibernate: new(true)})
	wantCode(t, err, 409, "OperationNotAllowed")

	// A guest that switches itself off is still set to run; one that was switched off is not.
	l.server.world.View(func(t *fabric.Tx) { key = compute.Status(t)[0].Key })
	l.server.PoweredOff(key)
	restart, err := c.vms.BeginRestart(ctx, "rg", "vm", nil)
	done(ctx, t, restart, err)
	off, err := c.vms.BeginPowerOff(ctx, "rg", "vm", nil)
	done(ctx, t, off, err)
	_, err = c.vms.BeginRestart(ctx, "rg", "vm", nil)
	wantCode(t, err, 409, "OperationNotAllowed")

	c.deallocate(ctx, "vm")
	off, err = c.vms.BeginPowerOff(ctx, "rg", "vm", &armcompute.VirtualMachinesClientBeginPowerOffOptions{SkipShutdown: new(true)})
	done(ctx, t, off, err)
	if p := c.power(ctx); p != "deallocated" {
		t.Fatalf("a deallocated machine that is switched off is %q", p)
	}
	if _, err := c.vms.Generalize(ctx, "rg", "vm", nil); err != nil {
		t.Fatal(err)
	}
	view := must[armcompute.VirtualMachinesClientInstanceViewResponse](t)(c.vms.InstanceView(ctx, "rg", "vm", nil))
	found := false
	for _, s := range view.Statuses {
		found = found || *s.Code == "OSState/generalized"
	}
	if !found || view.VMAgent != nil {
		t.Fatalf("generalized: %+v", view.Statuses)
	}
	_, err = c.vms.BeginStart(ctx, "rg", "vm", nil)
	wantCode(t, err, 409, "OperationNotAllowed")
	c.deallocate(ctx, "vm")
}

// TestReimage makes a machine again: another OS disk, the same machine.
func TestReimage(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	made := c.made(ctx, c.machine(nil))
	again := func(p *armcompute.VirtualMachineReimageParameters) error {
		poll, err := c.vms.BeginReimage(ctx, "rg", "vm", &armcompute.VirtualMachinesClientBeginReimageOptions{Parameters: p})
		if err == nil {
			done(ctx, t, poll, nil)
		}
		return err
	}
	wantCode(t, again(&armcompute.VirtualMachineReimageParameters{ExactVersion: new("9.9.9")}), 404, "PlatformImageNotFound")
	wantCode(t, again(&armcompute.VirtualMachineReimageParameters{OSProfile: &armcompute.OSProfileProvisioningData{CustomData: new("no base64")}}), 400, "InvalidParameter")
	if err := again(&armcompute.VirtualMachineReimageParameters{ExactVersion: new("0.20250703.2162"), OSProfile: &armcompute.OSProfileProvisioningData{CustomData: new("bmV3")}}); err != nil {
		t.Fatal(err)
	}
	got := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil))
	disk := got.Properties.StorageProfile.OSDisk
	if *got.Properties.VMID != *made.Properties.VMID || *disk.Name == "vm-os" || *got.Properties.StorageProfile.ImageReference.ExactVersion != "0.20250703.2162" || c.power(ctx) != "running" {
		t.Fatalf("%+v %+v", got.Properties, disk)
	}
	if d := c.disk(ctx, *disk.Name); *d.ManagedBy != *made.ID || *disk.ManagedDisk.ID != *d.ID {
		t.Fatalf("%+v", d)
	}
	await(ctx, t, "lost the old disk", func() bool {
		_, err := c.disks.Get(ctx, "rg", "vm-os", nil)
		return err != nil
	})
	c.deallocate(ctx, "vm")
	wantCode(t, again(nil), 409, "OperationNotAllowed")
}

// TestInterfaces gives a machine a second interface, which needs it deallocated, and takes
// it back.
func TestInterfaces(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	vm := c.made(ctx, c.machine(nil))
	first := *vm.Properties.NetworkProfile.NetworkInterfaces[0].ID
	nic, err := c.interfaces.BeginCreateOrUpdate(ctx, "rg", "second", armnetwork.Interface{Location: new("westus"), Properties: &armnetwork.InterfacePropertiesFormat{
		IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: new("c"), Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
			Subnet: &armnetwork.Subnet{ID: new(c.id("Microsoft.Network/virtualNetworks/vnet/subnets/default"))}}}}}}, nil)
	second := *done(ctx, t, nic, err).ID
	patch := func(ids ...string) (n int, err error) {
		profile := &armcompute.NetworkProfile{}
		for _, id := range ids {
			profile.NetworkInterfaces = append(profile.NetworkInterfaces, &armcompute.NetworkInterfaceReference{ID: &id,
				Properties: &armcompute.NetworkInterfaceReferenceProperties{Primary: new(id == first)}})
		}
		p, err := c.vms.BeginUpdate(ctx, "rg", "vm", armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{NetworkProfile: profile}}, nil)
		if err != nil {
			return 0, err
		}
		return len(done(ctx, t, p, nil).Properties.NetworkProfile.NetworkInterfaces), nil
	}
	_, err = patch(first, second)
	wantCode(t, err, 400, "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported")
	c.deallocate(ctx, "vm")
	if n := must[int](t)(patch(first, second)); n != 2 {
		t.Fatalf("%d interfaces", n)
	}
	_, err = c.interfaces.BeginDelete(ctx, "rg", "second", nil)
	wantCode(t, err, 400, "NicInUse")
	if n := must[int](t)(patch(first)); n != 1 {
		t.Fatalf("%d interfaces", n)
	}
	del, err := c.interfaces.BeginDelete(ctx, "rg", "second", nil)
	done(ctx, t, del, err)
}
