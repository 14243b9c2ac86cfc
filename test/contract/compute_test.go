package contract

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMVd0BPLUhBMUGBEmtv3OVTQGsKjwJOjHGvHNLxvkDrH test"

// machine is a VM on interface "i", with everything in it that is never read again.
func (l *local) machine() armcompute.VirtualMachine {
	return armcompute.VirtualMachine{
		Location: new("westus"), Tags: map[string]*string{"a": new("b")}, Identity: &armcompute.VirtualMachineIdentity{Type: new(armcompute.ResourceIdentityTypeSystemAssigned)},
		Properties: &armcompute.VirtualMachineProperties{
			UserData:        new(userData),
			HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes("Standard_B2s"))},
			OSProfile: &armcompute.OSProfile{ComputerName: new("m"), AdminUsername: new("azureuser"), AdminPassword: new(password), CustomData: new(customData),
				LinuxConfiguration: &armcompute.LinuxConfiguration{SSH: &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{{Path: new("/home/azureuser/.ssh/authorized_keys"), KeyData: new(key)}}}}},
			StorageProfile: &armcompute.StorageProfile{ImageReference: debian(),
				OSDisk: &armcompute.OSDisk{Name: new("m-os"), CreateOption: new(armcompute.DiskCreateOptionTypesFromImage), DeleteOption: new(armcompute.DiskDeleteOptionTypesDelete),
					ManagedDisk: &armcompute.ManagedDiskParameters{StorageAccountType: new(armcompute.StorageAccountTypesStandardSSDLRS)}}},
			NetworkProfile: &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{ID: l.id("Microsoft.Network/networkInterfaces/i")}}},
		}}
}

func debian() *armcompute.ImageReference {
	return &armcompute.ImageReference{Publisher: new("Debian"), Offer: new("debian-12"), SKU: new("12-gen2"), Version: new("latest")}
}

func power(view armcompute.VirtualMachineInstanceView) string {
	for _, s := range view.Statuses {
		if state, ok := strings.CutPrefix(*s.Code, "PowerState/"); ok {
			return state
		}
	}
	return "none"
}

// TestMachine is a machine's life, asked of every operation that is served.
func TestMachine(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	vms := c.compute.NewVirtualMachinesClient()
	c.prepare(ctx)
	c.wire(ctx)
	create := &armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{IfNoneMatch: new("*")}
	made := done[armcompute.VirtualMachinesClientCreateOrUpdateResponse](ctx, l)(vms.BeginCreateOrUpdate(ctx, "rg", "m", l.machine(), create))
	if *made.Properties.ProvisioningState != "Succeeded" || *made.Identity.PrincipalID == "" || *made.Properties.VMID == "" || made.Properties.TimeCreated == nil {
		t.Errorf("made: %s", l.tap.last())
	}
	_, err := vms.BeginCreateOrUpdate(ctx, "rg", "m", l.machine(), create)
	refused(t, err, http.StatusPreconditionFailed, "PreconditionFailed")

	got := strict[armcompute.VirtualMachinesClientGetResponse](l)(vms.Get(ctx, "rg", "m", nil))
	if *got.Properties.StorageProfile.OSDisk.ManagedDisk.ID == "" || *got.Properties.OSProfile.LinuxConfiguration.SSH.PublicKeys[0].KeyData != key {
		t.Errorf("machine: %s", l.tap.last())
	}
	data := strict[armcompute.VirtualMachinesClientGetResponse](l)(vms.Get(ctx, "rg", "m", &armcompute.VirtualMachinesClientGetOptions{Expand: new(armcompute.InstanceViewTypesUserData)}))
	if data.Properties.UserData == nil || *data.Properties.UserData != userData {
		t.Errorf("user data, asked for: %s", l.tap.last())
	}
	view := strict[armcompute.VirtualMachinesClientGetResponse](l)(vms.Get(ctx, "rg", "m", &armcompute.VirtualMachinesClientGetOptions{Expand: new(armcompute.InstanceViewTypesInstanceView)}))
	if v := view.Properties.InstanceView; power(*v) != "running" || *v.OSName == "" || v.VMAgent == nil || len(v.Disks) != 1 {
		t.Errorf("instance view: %s", l.tap.last())
	}
	pages(ctx, l, vms.NewListPager("rg", nil))
	if all := pages(ctx, l, vms.NewListAllPager(nil)); !strings.Contains(*all[0].Value[0].ID, "/resourceGroups/RG/") {
		t.Errorf("the group of a list is not in upper case: %s", l.tap.last())
	}
	pages(ctx, l, vms.NewListAllPager(&armcompute.VirtualMachinesClientListAllOptions{StatusOnly: new("true")}))
	pages(ctx, l, vms.NewListAvailableSizesPager("rg", "m", nil))
	tagged := done[armcompute.VirtualMachinesClientUpdateResponse](ctx, l)(vms.BeginUpdate(ctx, "rg", "m", armcompute.VirtualMachineUpdate{Tags: map[string]*string{"c": new("d")}}, nil))
	if len(tagged.Tags) != 1 || *tagged.Tags["c"] != "d" {
		t.Errorf("PATCH replaces the tags: %s", l.tap.last())
	}
	c.actions(ctx)
	c.disks(ctx)

	done[armcompute.VirtualMachinesClientDeleteResponse](ctx, l)(vms.BeginDelete(ctx, "rg", "m", &armcompute.VirtualMachinesClientBeginDeleteOptions{ForceDeletion: new(true)}))
	_, err = vms.Get(ctx, "rg", "m", nil)
	refused(t, err, http.StatusNotFound, "ResourceNotFound")
	done[armcompute.VirtualMachinesClientDeleteResponse](ctx, l)(vms.BeginDelete(ctx, "rg", "m", nil)) // 204
	c.unwire(ctx)
}

// actions asks each action of a running machine and looks at the power state after it.
func (c *clients) actions(ctx context.Context) {
	c.t.Helper()
	vms := c.compute.NewVirtualMachinesClient()
	for _, step := range []struct {
		want string
		ask  func() error
	}{
		{"stopped", func() error { p, err := vms.BeginPowerOff(ctx, "rg", "m", nil); return end(ctx, p, err) }},
		{"running", func() error { p, err := vms.BeginStart(ctx, "rg", "m", nil); return end(ctx, p, err) }},
		{"running", func() error { p, err := vms.BeginRestart(ctx, "rg", "m", nil); return end(ctx, p, err) }},
		{"deallocated", func() error { p, err := vms.BeginDeallocate(ctx, "rg", "m", nil); return end(ctx, p, err) }},
		{"deallocated", func() error { p, err := vms.BeginDeallocate(ctx, "rg", "m", nil); return end(ctx, p, err) }},
		{"running", func() error { p, err := vms.BeginStart(ctx, "rg", "m", nil); return end(ctx, p, err) }},
	} {
		if err := step.ask(); err != nil {
			c.t.Fatal(err)
		}
		view := strict[armcompute.VirtualMachinesClientInstanceViewResponse](c.local)(vms.InstanceView(ctx, "rg", "m", nil))
		if got := power(view.VirtualMachineInstanceView); got != step.want {
			c.t.Errorf("power state %s, want %s", got, step.want)
		}
	}
	_, err := vms.BeginStart(ctx, "rg", "none", nil)
	refused(c.t, err, http.StatusNotFound, "ResourceNotFound")
}

// end polls an operation whose result is empty.
func end[T any](ctx context.Context, p *runtime.Poller[T], err error) error {
	if err == nil {
		_, err = p.PollUntilDone(ctx, often)
	}
	return err
}

// disks asks for the machine's own disk and one beside it.
func (c *clients) disks(ctx context.Context) {
	c.t.Helper()
	disks := c.compute.NewDisksClient()
	own := strict[armcompute.DisksClientGetResponse](c.local)(disks.Get(ctx, "rg", "m-os", nil))
	if *own.Properties.DiskState != armcompute.DiskStateAttached || !strings.HasSuffix(*own.ManagedBy, "/virtualMachines/m") {
		c.t.Errorf("the machine's disk: %s", c.tap.last())
	}
	_, err := disks.BeginDelete(ctx, "rg", "m-os", nil)
	refused(c.t, err, http.StatusConflict, "OperationNotAllowed")
	spare := done[armcompute.DisksClientCreateOrUpdateResponse](ctx, c.local)(disks.BeginCreateOrUpdate(ctx, "rg", "spare", armcompute.Disk{Location: new("westus"),
		SKU: &armcompute.DiskSKU{Name: new(armcompute.DiskStorageAccountTypesStandardLRS)}, Properties: &armcompute.DiskProperties{DiskSizeGB: new(int32(4)), CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionEmpty)}}}, nil))
	if *spare.Properties.DiskState != armcompute.DiskStateUnattached || *spare.Properties.UniqueID == "" {
		c.t.Errorf("a disk: %s", c.tap.last())
	}
	pages(ctx, c.local, disks.NewListByResourceGroupPager("rg", nil))
	pages(ctx, c.local, disks.NewListPager(nil))
	done[armcompute.DisksClientDeleteResponse](ctx, c.local)(disks.BeginDelete(ctx, "rg", "spare", nil))
}

// TestCatalogue asks what can be had, and for what cannot.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	c.prepare(ctx)
	c.wire(ctx)
	found := false
	for _, page := range pages(ctx, l, c.compute.NewResourceSKUsClient().NewListPager(&armcompute.ResourceSKUsClientListOptions{Filter: new("location eq 'westus'")})) {
		for _, sku := range page.Value {
			found = found || *sku.Name == "Standard_B2s" && *sku.Family == "standardBSFamily" && *sku.LocationInfo[0].Location == "westus"
		}
	}
	if !found {
		t.Error("there is no Standard_B2s")
	}
	pages(ctx, l, c.compute.NewVirtualMachineSizesClient().NewListPager("westus", nil))
	names := map[string]bool{}
	for _, page := range pages(ctx, l, c.compute.NewUsageClient().NewListPager("westus", nil)) {
		for _, u := range page.Value {
			names[*u.Name.Value] = *u.Limit > 0
		}
	}
	if !names["cores"] || !names["standardBSFamily"] || !names["lowPriorityCores"] {
		t.Errorf("usages: %v", names)
	}
	images := c.compute.NewVirtualMachineImagesClient()
	versions := must[armcompute.VirtualMachineImagesClientListResponse](t)(images.List(ctx, "westus", "Debian", "debian-12", "12-gen2", &armcompute.VirtualMachineImagesClientListOptions{Top: new(int32(1)), Orderby: new("name desc")}))
	if len(versions.VirtualMachineImageResourceArray) != 1 {
		t.Errorf("versions: %s", l.tap.last())
	}

	vms := c.compute.NewVirtualMachinesClient()
	for _, wrong := range []struct {
		status int
		code   string
		change func(*armcompute.VirtualMachine)
	}{
		{http.StatusNotFound, "PlatformImageNotFound", func(m *armcompute.VirtualMachine) { m.Properties.StorageProfile.ImageReference.SKU = new("no-such") }},
		{http.StatusBadRequest, "InvalidParameter", func(m *armcompute.VirtualMachine) { m.Properties.OSProfile.AdminUsername = new("root") }},
		{http.StatusBadRequest, "InvalidParameter", func(m *armcompute.VirtualMachine) {
			m.Properties.HardwareProfile.VMSize = new(armcompute.VirtualMachineSizeTypes("Standard_None"))
		}},
		{http.StatusBadRequest, "InvalidParameter", func(m *armcompute.VirtualMachine) {
			m.Properties.OSProfile.CustomData = new(strings.Repeat("YWFh", 22000))
		}},
	} {
		body := l.machine()
		wrong.change(&body)
		_, err := vms.BeginCreateOrUpdate(ctx, "rg", "m", body, nil)
		refused(t, err, wrong.status, wrong.code)
	}

	// What fails after it was accepted has status 200 and the code in the operation.
	l.run("azure", "local", "fault", "add", "--on", "Microsoft.Compute/virtualMachines/write", "--operation-fails", "AllocationFailed")
	p, err := vms.BeginCreateOrUpdate(ctx, "rg", "m", l.machine(), nil)
	refused(t, end(ctx, p, err), http.StatusOK, "AllocationFailed")
	if got := strict[armcompute.VirtualMachinesClientGetResponse](l)(vms.Get(ctx, "rg", "m", nil)); *got.Properties.ProvisioningState != "Failed" {
		t.Errorf("after it failed: %s", l.tap.last())
	}
	// Compute's own refusal has no envelope.
	l.run("azure", "local", "fault", "add", "--on", "Microsoft.Compute/virtualMachines/read", "--throttle")
	_, err = vms.Get(ctx, "rg", "m", nil)
	refused(t, err, http.StatusTooManyRequests, "OperationNotAllowed")
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok && re.RawResponse.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
