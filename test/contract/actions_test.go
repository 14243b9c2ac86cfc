package contract

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// inline is machine with an interface of its own in the subnet that wire makes.
func (c *clients) inline(name string) armcompute.VirtualMachine {
	vm := c.machine()
	vm.Properties.OSProfile.ComputerName, vm.Properties.StorageProfile.OSDisk.Name = &name, nil
	vm.Properties.NetworkProfile = &armcompute.NetworkProfile{NetworkAPIVersion: new(armcompute.NetworkAPIVersion("2022-11-01")),
		NetworkInterfaceConfigurations: []*armcompute.VirtualMachineNetworkInterfaceConfiguration{{Name: &name,
			Properties: &armcompute.VirtualMachineNetworkInterfaceConfigurationProperties{Primary: new(true), DeleteOption: new(armcompute.DeleteOptionsDelete),
				IPConfigurations: []*armcompute.VirtualMachineNetworkInterfaceIPConfiguration{{Name: new("c"),
					Properties: &armcompute.VirtualMachineNetworkInterfaceIPConfigurationProperties{Subnet: &armcompute.SubResource{ID: c.id("Microsoft.Network/virtualNetworks/vn/subnets/s")},
						PublicIPAddressConfiguration: &armcompute.VirtualMachinePublicIPAddressConfiguration{Name: &name, SKU: &armcompute.PublicIPAddressSKU{Name: new(armcompute.PublicIPAddressSKUNameStandard)},
							Properties: &armcompute.VirtualMachinePublicIPAddressConfigurationProperties{DeleteOption: new(armcompute.DeleteOptionsDelete), PublicIPAllocationMethod: new(armcompute.PublicIPAllocationMethodStatic)}}}}}}}}}
	return vm
}

// power asks for the power state of a machine.
func (c *clients) power(ctx context.Context, name string) string {
	c.t.Helper()
	return power(strict[armcompute.VirtualMachinesClientInstanceViewResponse](c.local)(c.compute.NewVirtualMachinesClient().InstanceView(ctx, "rg", name, nil)).VirtualMachineInstanceView)
}

// TestScripts runs a script at a machine that has no guest: the answer has Azure's form and
// says that nothing ran.
func TestScripts(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	vms := c.compute.NewVirtualMachinesClient()
	c.prepare(ctx)
	c.wire(ctx)
	done[armcompute.VirtualMachinesClientCreateOrUpdateResponse](ctx, l)(vms.BeginCreateOrUpdate(ctx, "rg", "m", l.machine(), nil))
	script := armcompute.RunCommandInput{CommandID: new("RunShellScript"), Script: []*string{new("echo ran"), new(scriptText)}}
	out := done[armcompute.VirtualMachinesClientRunCommandResponse](ctx, l)(vms.BeginRunCommand(ctx, "rg", "m", script, nil))
	if len(out.Value) != 1 || *out.Value[0].Code != "ProvisioningState/succeeded" {
		t.Fatalf("script: %s", l.tap.last())
	}
	if text := *out.Value[0].Message; !strings.HasPrefix(text, "Enable succeeded: \n[stdout]\n\n[stderr]\n") || !strings.Contains(text, "runs no guests") {
		t.Errorf("a script without a guest says %q", text)
	}
	_, err := vms.BeginRunCommand(ctx, "rg", "m", armcompute.RunCommandInput{CommandID: new("Nonsense")}, nil)
	refused(t, err, http.StatusBadRequest, "InvalidParameter")
	ready := c.compute.NewVirtualMachineRunCommandsClient()
	pages(ctx, l, ready.NewListPager("westus", nil))
	strict[armcompute.VirtualMachineRunCommandsClientGetResponse](l)(ready.Get(ctx, "westus", "RunShellScript", nil))

	off, err := vms.BeginDeallocate(ctx, "rg", "m", nil)
	if err := end(ctx, off, err); err != nil {
		t.Fatal(err)
	}
	_, err = vms.BeginRunCommand(ctx, "rg", "m", script, nil)
	refused(t, err, http.StatusConflict, "OperationNotAllowed")
	strict[armcompute.VirtualMachinesClientGeneralizeResponse](l)(vms.Generalize(ctx, "rg", "m", nil))
	if strict[armcompute.VirtualMachinesClientInstanceViewResponse](l)(vms.InstanceView(ctx, "rg", "m", nil)); !strings.Contains(string(l.tap.last()), `"OSState/generalized"`) {
		t.Errorf("a generalized machine: %s", l.tap.last())
	}
	_, err = vms.BeginStart(ctx, "rg", "m", nil)
	refused(t, err, http.StatusConflict, "OperationNotAllowed")
}

// TestSpot lets a Spot machine be evicted, and refuses it for another.
func TestSpot(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	l.run("azure", "local", "set", "eviction-notice=50ms")
	c := l.clients()
	vms := c.compute.NewVirtualMachinesClient()
	c.prepare(ctx)
	c.wire(ctx)
	spot := c.inline("spot")
	spot.Properties.HardwareProfile.VMSize = new(armcompute.VirtualMachineSizeTypes("Standard_D2s_v5"))
	spot.Properties.Priority, spot.Properties.EvictionPolicy = new(armcompute.VirtualMachinePriorityTypesSpot), new(armcompute.VirtualMachineEvictionPolicyTypesDeallocate)
	spot.Properties.BillingProfile = &armcompute.BillingProfile{MaxPrice: new(-1.0)}
	made := done[armcompute.VirtualMachinesClientCreateOrUpdateResponse](ctx, l)(vms.BeginCreateOrUpdate(ctx, "rg", "spot", spot, nil))
	if *made.Properties.Priority != armcompute.VirtualMachinePriorityTypesSpot || *made.Properties.BillingProfile.MaxPrice != -1 {
		t.Errorf("made: %s", l.tap.last())
	}
	done[armcompute.VirtualMachinesClientCreateOrUpdateResponse](ctx, l)(vms.BeginCreateOrUpdate(ctx, "rg", "m", l.machine(), nil))
	_, err := vms.SimulateEviction(ctx, "rg", "m", nil)
	refused(t, err, http.StatusConflict, "OperationNotAllowed")
	strict[armcompute.VirtualMachinesClientSimulateEvictionResponse](l)(vms.SimulateEviction(ctx, "rg", "spot", nil))
	for c.power(ctx, "spot") != "deallocated" {
		select {
		case <-ctx.Done():
			t.Fatal("the machine is not evicted")
		case <-time.After(50 * time.Millisecond):
		}
	}
	if got := c.power(ctx, "m"); got != "running" {
		t.Errorf("the other machine is %s", got)
	}
}

// TestDataDisks attaches a disk, and detaches it again.
func TestDataDisks(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	vms, disks := c.compute.NewVirtualMachinesClient(), c.compute.NewDisksClient()
	c.prepare(ctx)
	c.wire(ctx)
	done[armcompute.VirtualMachinesClientCreateOrUpdateResponse](ctx, l)(vms.BeginCreateOrUpdate(ctx, "rg", "m", l.machine(), nil))
	spare := done[armcompute.DisksClientCreateOrUpdateResponse](ctx, l)(disks.BeginCreateOrUpdate(ctx, "rg", "spare", armcompute.Disk{Location: new("westus"),
		SKU: &armcompute.DiskSKU{Name: new(armcompute.DiskStorageAccountTypesStandardSSDLRS)}, Properties: &armcompute.DiskProperties{DiskSizeGB: new(int32(4)), CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionEmpty)}}}, nil))
	with := func(list ...*armcompute.DataDisk) armcompute.VirtualMachineUpdate {
		return armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{StorageProfile: &armcompute.StorageProfile{DataDisks: append([]*armcompute.DataDisk{}, list...)}}}
	}
	attach := &armcompute.DataDisk{Lun: new(int32(3)), CreateOption: new(armcompute.DiskCreateOptionTypesAttach), ManagedDisk: &armcompute.ManagedDiskParameters{ID: spare.ID}}
	vm := done[armcompute.VirtualMachinesClientUpdateResponse](ctx, l)(vms.BeginUpdate(ctx, "rg", "m", with(attach), nil))
	if got := vm.Properties.StorageProfile.DataDisks; len(got) != 1 || *got[0].Lun != 3 || *got[0].Name != "spare" || *got[0].DiskSizeGB != 4 {
		t.Fatalf("machine with a disk: %s", l.tap.last())
	}
	held := strict[armcompute.DisksClientGetResponse](l)(disks.Get(ctx, "rg", "spare", nil))
	if *held.Properties.DiskState != armcompute.DiskStateAttached || !strings.HasSuffix(*held.ManagedBy, "/virtualMachines/m") {
		t.Errorf("attached disk: %s", l.tap.last())
	}
	_, err := disks.BeginDelete(ctx, "rg", "spare", nil)
	refused(t, err, http.StatusConflict, "OperationNotAllowed")
	vm = done[armcompute.VirtualMachinesClientUpdateResponse](ctx, l)(vms.BeginUpdate(ctx, "rg", "m", with(), nil))
	if len(vm.Properties.StorageProfile.DataDisks) != 0 {
		t.Errorf("machine without its disk: %s", l.tap.last())
	}
	free := strict[armcompute.DisksClientGetResponse](l)(disks.Get(ctx, "rg", "spare", nil))
	if *free.Properties.DiskState != armcompute.DiskStateUnattached || free.ManagedBy != nil {
		t.Errorf("detached disk: %s", l.tap.last())
	}
	grown := done[armcompute.DisksClientUpdateResponse](ctx, l)(disks.BeginUpdate(ctx, "rg", "spare", armcompute.DiskUpdate{Properties: &armcompute.DiskUpdateProperties{DiskSizeGB: new(int32(8))}}, nil))
	if *grown.Properties.DiskSizeGB != 8 {
		t.Errorf("grown disk: %s", l.tap.last())
	}
	done[armcompute.DisksClientDeleteResponse](ctx, l)(disks.BeginDelete(ctx, "rg", "spare", nil))
}
