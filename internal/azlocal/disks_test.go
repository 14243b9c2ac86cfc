package azlocal

import (
	"context"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

func (c *clients) disk(ctx context.Context, name string) armcompute.Disk {
	c.t.Helper()
	return must[armcompute.DisksClientGetResponse](c.t)(c.disks.Get(ctx, "rg", name, nil)).Disk
}

func (c *clients) putDisk(ctx context.Context, name string, gb int32) (armcompute.Disk, error) {
	p, err := c.disks.BeginCreateOrUpdate(ctx, "rg", name, armcompute.Disk{Location: new("West US"), SKU: &armcompute.DiskSKU{Name: new(armcompute.DiskStorageAccountTypesStandardSSDLRS)},
		Properties: &armcompute.DiskProperties{DiskSizeGB: &gb, CreationData: &armcompute.CreationData{CreateOption: new(armcompute.DiskCreateOptionEmpty)}}}, nil)
	if err != nil {
		return armcompute.Disk{}, err
	}
	return done(ctx, c.t, p, nil).Disk, nil
}

// dataDisks writes a machine's data disks.
func (c *clients) dataDisks(ctx context.Context, disks ...*armcompute.DataDisk) ([]*armcompute.DataDisk, error) {
	p, err := c.vms.BeginUpdate(ctx, "rg", "vm", armcompute.VirtualMachineUpdate{Properties: &armcompute.VirtualMachineProperties{
		StorageProfile: &armcompute.StorageProfile{DataDisks: append([]*armcompute.DataDisk{}, disks...)}}}, nil)
	if err != nil {
		return nil, err
	}
	return done(ctx, c.t, p, nil).Properties.StorageProfile.DataDisks, nil
}

func (c *clients) attached(name string, lun int32) *armcompute.DataDisk {
	return &armcompute.DataDisk{Lun: &lun, CreateOption: new(armcompute.DiskCreateOptionTypesAttach), DeleteOption: new(armcompute.DiskDeleteOptionTypesDelete),
		ManagedDisk: &armcompute.ManagedDiskParameters{ID: new(c.id("Microsoft.Compute/disks/" + name))}}
}

// TestDisk makes a disk alone, lets it grow, and refuses to shrink it.
func TestDisk(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	made := must[armcompute.Disk](t)(c.putDisk(ctx, "d", 8))
	if *made.Properties.DiskState != "Unattached" || *made.Properties.ProvisioningState != "Succeeded" || *made.SKU.Tier != "Standard" || made.Properties.OSType != nil || *made.Location != "westus" {
		t.Fatalf("%+v %+v", made, made.Properties)
	}
	update := func(u armcompute.DiskUpdate) error {
		p, err := c.disks.BeginUpdate(ctx, "rg", "d", u, nil)
		if err == nil {
			done(ctx, t, p, nil)
		}
		return err
	}
	if err := update(armcompute.DiskUpdate{Tags: map[string]*string{"a": new("b")}, Properties: &armcompute.DiskUpdateProperties{DiskSizeGB: new(int32(16))}}); err != nil {
		t.Fatal(err)
	}
	if d := c.disk(ctx, "d"); *d.Properties.DiskSizeGB != 16 || *d.Properties.DiskSizeBytes != 16<<30 || *d.Tags["a"] != "b" || *d.Properties.UniqueID != *made.Properties.UniqueID {
		t.Fatalf("%+v %+v", d, d.Properties)
	}
	wantCode(t, update(armcompute.DiskUpdate{Properties: &armcompute.DiskUpdateProperties{DiskSizeGB: new(int32(4))}}), 409, "OperationNotAllowed")
	_, err := c.putDisk(ctx, "-bad-", 8)
	wantCode(t, err, 400, "InvalidParameter")
	_, err = c.putDisk(ctx, "huge", 70000)
	wantCode(t, err, 400, "InvalidParameter")
	del, err := c.disks.BeginDelete(ctx, "rg", "d", nil)
	done(ctx, t, del, err)
	_, err = c.disks.Get(ctx, "rg", "d", nil)
	wantCode(t, err, 404, "ResourceNotFound")
}

// TestDataDisks brings disks to a machine and takes them away; what is in use is kept from
// others, and what the machine is told to take with it goes.
func TestDataDisks(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	vm := c.made(ctx, c.machine(nil))
	must[armcompute.Disk](t)(c.putDisk(ctx, "d", 8))
	empty := &armcompute.DataDisk{Lun: new(int32(1)), Name: new("e"), CreateOption: new(armcompute.DiskCreateOptionTypesEmpty), DiskSizeGB: new(int32(4))}
	list := must[[]*armcompute.DataDisk](t)(c.dataDisks(ctx, c.attached("d", 0), empty))
	if len(list) != 2 || *list[0].Name != "d" || *list[0].DiskSizeGB != 8 || *list[1].ManagedDisk.ID != c.id("Microsoft.Compute/disks/e") || *list[1].DeleteOption != "Detach" {
		t.Fatalf("%+v", list)
	}
	if d := c.disk(ctx, "d"); *d.ManagedBy != *vm.ID || *d.Properties.DiskState != "Attached" {
		t.Fatalf("%+v", d)
	}
	_, err := c.disks.BeginDelete(ctx, "rg", "d", nil)
	wantCode(t, err, 409, "OperationNotAllowed")
	_, err = c.putDisk(ctx, "d", 16)
	wantCode(t, err, 409, "OperationNotAllowed") // it is attached to a machine that runs
	for _, bad := range []struct {
		disk   *armcompute.DataDisk
		status int
		code   string
	}{
		{c.attached("none", 2), 404, "NotFound"},
		{c.attached("vm-os", 2), 409, "ConflictingUserInput"},
		{&armcompute.DataDisk{Lun: new(int32(0)), CreateOption: new(armcompute.DiskCreateOptionTypesEmpty), DiskSizeGB: new(int32(4))}, 409, "ConflictingUserInput"},
		{&armcompute.DataDisk{Lun: new(int32(2)), Name: new("vm-os"), CreateOption: new(armcompute.DiskCreateOptionTypesEmpty), DiskSizeGB: new(int32(4))}, 409, "ConflictingUserInput"},
		{&armcompute.DataDisk{Lun: new(int32(2)), CreateOption: new(armcompute.DiskCreateOptionTypesEmpty)}, 400, "InvalidParameter"},
		{&armcompute.DataDisk{CreateOption: new(armcompute.DiskCreateOptionTypesEmpty), DiskSizeGB: new(int32(4))}, 400, "InvalidParameter"},
	} {
		_, err := c.dataDisks(ctx, c.attached("d", 0), empty, bad.disk)
		wantCode(t, err, bad.status, bad.code)
	}
	if view := c.view(ctx); len(view.Disks) != 3 {
		t.Fatalf("disks in the instance view: %d", len(view.Disks))
	}

	c.deallocate(ctx, "vm")
	if d := c.disk(ctx, "d"); *d.Properties.DiskState != "Reserved" {
		t.Fatalf("state %s", *d.Properties.DiskState)
	}
	must[armcompute.Disk](t)(c.putDisk(ctx, "d", 16))
	got := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil))
	if n := *got.Properties.StorageProfile.DataDisks[0].DiskSizeGB; n != 16 {
		t.Fatalf("the machine shows %d GB", n)
	}

	if list := must[[]*armcompute.DataDisk](t)(c.dataDisks(ctx, c.attached("d", 0))); len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	if d := c.disk(ctx, "e"); d.ManagedBy != nil || *d.Properties.DiskState != "Unattached" {
		t.Fatalf("%+v", d)
	}
	del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
	done(ctx, t, del, err)
	await(ctx, t, "lost the disk", func() bool {
		_, err := c.disks.Get(ctx, "rg", "d", nil)
		return err != nil
	})
	c.disk(ctx, "e")
}

// TestOneOwner gives a disk to one of two machines that want it.
func TestOneOwner(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.made(ctx, c.machine(nil))
	must[armcompute.Disk](t)(c.putDisk(ctx, "d", 8))
	must[[]*armcompute.DataDisk](t)(c.dataDisks(ctx, c.attached("d", 0)))
	second := c.machine(nil)
	second.Properties.StorageProfile.OSDisk.Name = new("second-os")
	second.Properties.StorageProfile.DataDisks = []*armcompute.DataDisk{c.attached("d", 0)}
	_, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "second", second, nil)
	wantCode(t, err, 409, "ConflictingUserInput")
	must[[]*armcompute.DataDisk](t)(c.dataDisks(ctx))
	p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "second", second, nil)
	made := done(ctx, t, p, err)
	if d := c.disk(ctx, "d"); *d.ManagedBy != *made.ID {
		t.Fatalf("%+v", d)
	}
	five := []*armcompute.DataDisk{}
	for lun := range int32(5) {
		five = append(five, &armcompute.DataDisk{Lun: &lun, CreateOption: new(armcompute.DiskCreateOptionTypesEmpty), DiskSizeGB: new(int32(4))})
	}
	_, err = c.dataDisks(ctx, five...)
	wantCode(t, err, 409, "OperationNotAllowed") // a B2s has room for four
	must[[]*armcompute.DataDisk](t)(c.dataDisks(ctx, five[:4]...))
}
