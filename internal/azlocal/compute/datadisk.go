package compute

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// maxLUN is the highest logical unit number that any size has.
const maxLUN = 63

func dataDisks(vm *fabric.Document) []doc.Object {
	return vm.Body.List("properties", "storageProfile", "dataDisks")
}

// dataDiskID is where a machine's data disk is: where it says, else beside the machine.
func dataDiskID(vm string, disk doc.Object) string {
	if id := disk.Str("managedDisk", "id"); id != "" {
		return id
	}
	return beside(vm, disk.Str("name"))
}

// planDisks checks the data disks that a write asks for and fills in what it leaves out. A
// disk that the machine has already is found by id or name.
func planDisks(t *fabric.Tx, vm *fabric.Document, given []doc.Object, size Size) ([]any, error) {
	planned, seen := []any{}, map[int]bool{}
	for _, g := range given {
		if g.Bool("toBeDetached") {
			continue
		}
		disk, err := planDisk(t, vm, g.Clone())
		if err != nil {
			return nil, err
		}
		lun := disk.Int("lun")
		if seen[lun] {
			return nil, arm.Errorf(http.StatusConflict, "ConflictingUserInput", "A disk at LUN %d already exists.", lun).About("dataDisk.lun")
		}
		seen[lun] = true
		planned = append(planned, disk)
	}
	if len(planned) > size.DataDisks {
		return nil, notAllowed("The maximum number of data disks allowed to be attached to a VM of this size is %d.", size.DataDisks).About("dataDisks")
	}
	return planned, nil
}

func planDisk(t *fabric.Tx, vm *fabric.Document, disk doc.Object) (doc.Object, error) {
	if _, ok := disk["lun"].(float64); !ok {
		return nil, missing("dataDisk.lun")
	}
	if lun := disk.Int("lun"); lun < 0 || lun > maxLUN {
		return nil, invalid("dataDisk.lun", "The value '%d' of parameter 'dataDisk.lun' is out of range. The value must be between 0 and %d.", lun, maxLUN)
	}
	if err := checkDeleteOption("dataDisk.deleteOption", disk.Str("deleteOption")); err != nil {
		return nil, err
	}
	if now := ownDisk(vm, disk); now != nil {
		return keepDisk(now, disk)
	}
	var err error
	switch option := disk.Str("createOption"); {
	case strings.EqualFold(option, "Attach"):
		err = planAttach(t, vm, disk)
	case strings.EqualFold(option, "Empty"):
		err = planEmpty(t, vm, disk)
	case option == "":
		err = missing("dataDisk.createOption")
	default:
		err = invalid("dataDisk.createOption", "The value '%s' of parameter 'dataDisk.createOption' is not allowed. Allowed values are 'Empty,Attach'.", option)
	}
	if err != nil {
		return nil, err
	}
	caching := "None"
	if strings.HasPrefix(disk.Str("managedDisk", "storageAccountType"), "Premium") {
		caching = "ReadOnly"
	}
	disk.Default(caching, "caching")
	disk.Default("Detach", "deleteOption")
	disk["toBeDetached"] = false
	return disk, nil
}

// ownDisk is a data disk that the machine has already.
func ownDisk(vm *fabric.Document, disk doc.Object) doc.Object {
	for _, mine := range dataDisks(vm) {
		id := disk.Str("managedDisk", "id")
		if id != "" && arm.Key(id) == arm.Key(dataDiskID(vm.ID, mine)) || id == "" && strings.EqualFold(disk.Str("name"), mine.Str("name")) && disk.Str("name") != "" {
			return mine
		}
	}
	return nil
}

// keepDisk changes what may change at a disk that stays where it is.
func keepDisk(now, disk doc.Object) (doc.Object, error) {
	now = now.Clone()
	switch {
	case now.Int("lun") != disk.Int("lun"):
		return nil, changed("dataDisk.lun")
	case disk.Str("name") != "" && !strings.EqualFold(now.Str("name"), disk.Str("name")):
		return nil, changed("dataDisk.name")
	case disk.Int("diskSizeGB") != 0 && disk.Int("diskSizeGB") != now.Int("diskSizeGB"):
		return nil, changed("dataDisk.diskSizeGB")
	}
	for _, key := range []string{"caching", "deleteOption", "writeAcceleratorEnabled"} {
		if v := disk[key]; v != nil {
			now[key] = v
		}
	}
	return now, nil
}

func planAttach(t *fabric.Tx, vm *fabric.Document, disk doc.Object) error {
	id := disk.Str("managedDisk", "id")
	if id == "" {
		return missing("dataDisk.managedDisk.id")
	}
	found := t.Peek(id)
	switch {
	case found == nil || !strings.EqualFold(arm.ParseID(id).Type(), TypeDisk):
		return arm.Errorf(http.StatusNotFound, "NotFound", "Disk %s is not found.", arm.Name(id)).About("dataDisk.managedDisk.id")
	case found.Body.Str("properties", "provisioningState") == "Deleting":
		return arm.Errorf(http.StatusConflict, "AttachDiskWhileBeingDetached", "Cannot attach data disk '%s' to VM '%s' because the disk is currently being deleted.", arm.Name(id), arm.Name(vm.ID))
	case found.Body.Str("managedBy") != "" && arm.Key(found.Body.Str("managedBy")) != arm.Key(vm.ID):
		return arm.Errorf(http.StatusConflict, "ConflictingUserInput", "Disk '%s' cannot be attached as the disk is already owned by VM '%s'.", found.ID, found.Body.Str("managedBy"))
	case found.Body.Str("managedBy") != "":
		return arm.Errorf(http.StatusConflict, "ConflictingUserInput", "Disk '%s' is already attached to VM '%s' as its OS disk.", found.ID, vm.ID)
	case found.Body.Str("location") != vm.Body.Str("location"):
		return arm.Errorf(http.StatusBadRequest, "BadRequest", "Disk %s is in location '%s' and cannot be attached to VM '%s' in location '%s'.", arm.Name(id), found.Body.Str("location"), arm.Name(vm.ID), vm.Body.Str("location"))
	case !sameZone(found.Body, vm.Body):
		return arm.Errorf(http.StatusBadRequest, "BadRequest", "Disk %s cannot be attached to the VM because it is not in zone '%s'.", found.ID, strings.Join(vm.Body.Strings("zones"), ","))
	}
	disk["managedDisk"] = doc.Object{"id": found.ID, "storageAccountType": found.Body.Str("sku", "name")}
	disk["name"], disk["diskSizeGB"] = found.Body.Str("name"), float64(found.Body.Int("properties", "diskSizeGB"))
	return nil
}

// sameZone tells whether a disk can be used where a machine is.
func sameZone(disk, vm doc.Object) bool {
	zones := disk.Strings("zones")
	return len(zones) == 0 && len(vm.Strings("zones")) == 0 || slices.Equal(zones, vm.Strings("zones")) || strings.HasSuffix(disk.Str("sku", "name"), "_ZRS")
}

func planEmpty(t *fabric.Tx, vm *fabric.Document, disk doc.Object) error {
	if disk.Int("diskSizeGB") == 0 {
		return missing("dataDisk.diskSizeGB")
	}
	if err := checkDiskSize("dataDisk.diskSizeGB", disk.Int("diskSizeGB")); err != nil {
		return err
	}
	disk.Default("Premium_LRS", "managedDisk", "storageAccountType")
	if err := checkDiskSKU("dataDisk.managedDisk.storageAccountType", disk.Str("managedDisk", "storageAccountType")); err != nil {
		return err
	}
	if id := disk.Str("managedDisk", "id"); id != "" {
		if err := checkDiskID(t, id, "dataDisk.managedDisk.id"); err != nil {
			return err
		}
		disk.Default(arm.Name(id), "name")
	}
	disk.Default(arm.Name(vm.ID)+"_disk"+strconv.Itoa(disk.Int("lun")+2)+"_"+strings.ReplaceAll(uuid.NewString(), "-", ""), "name")
	return checkNewDisk(t, dataDiskID(vm.ID, disk), disk.Str("name"), "dataDisk.name")
}

// checkDiskID refuses an id at which no disk can be.
func checkDiskID(t *fabric.Tx, id, target string) error {
	group, name := arm.GroupID(id), arm.Name(id)
	if t.Peek(group) == nil || arm.Key(id) != arm.Key(beside(group, name)) {
		return invalid(target, "The value of parameter %s is invalid.", target)
	}
	return checkEntity(target, name)
}

// takeDisks makes the empty data disks of a machine and makes it the owner of all. Those
// that it had before and has no longer are let go.
func takeDisks(t *fabric.Tx, vm *fabric.Document, before []doc.Object) {
	kept := map[string]bool{}
	for _, disk := range dataDisks(vm) {
		id := dataDiskID(vm.ID, disk)
		kept[arm.Key(id)] = true
		d := t.Get(id)
		if d == nil {
			d = &fabric.Document{ID: id, Body: diskBody(t, id, vm.Body.Str("location"), disk.Str("managedDisk", "storageAccountType"), disk.Int("diskSizeGB"))}
			d.Body.Set(fabric.Succeeded, "properties", "provisioningState")
			if zones := vm.Body["zones"]; zones != nil {
				d.Body["zones"] = zones
			}
		}
		own(t, d, vm)
	}
	for _, disk := range before {
		if id := dataDiskID(vm.ID, disk); !kept[arm.Key(id)] {
			letGo(t, vm.ID, id)
		}
	}
}

// own makes a machine the owner of a disk.
func own(t *fabric.Tx, d, vm *fabric.Document) {
	state := "Attached"
	if powerOf(vm) == Deallocated {
		state = "Reserved"
	}
	if d.Body.Str("managedBy") == vm.ID && d.Body.Str("properties", "diskState") == state {
		return
	}
	d.Body["managedBy"] = vm.ID
	d.Body.Set(state, "properties", "diskState")
	d.Body.Set(fabric.Timestamp(t.World().Now()), "properties", "LastOwnershipUpdateTime")
	t.Put(d)
}

// letGo ends a machine's ownership of a disk; nil when it has none.
func letGo(t *fabric.Tx, vm, id string) *fabric.Document {
	d := t.Get(id)
	if d == nil || arm.Key(d.Body.Str("managedBy")) != arm.Key(vm) {
		return nil
	}
	delete(d.Body, "managedBy")
	d.Body.Set("Unattached", "properties", "diskState")
	d.Body.Set(fabric.Timestamp(t.World().Now()), "properties", "LastOwnershipUpdateTime")
	t.Put(d)
	return d
}

// markDisks shows in a machine's disks whether it is allocated.
func markDisks(t *fabric.Tx, vm *fabric.Document) {
	ids := []string{diskID(vm)}
	for _, disk := range dataDisks(vm) {
		ids = append(ids, dataDiskID(vm.ID, disk))
	}
	for _, id := range ids {
		if d := t.Get(id); d != nil && arm.Key(d.Body.Str("managedBy")) == arm.Key(vm.ID) {
			own(t, d, vm)
		}
	}
}

// nameDisks shows the ids of a machine's disks, which are absent until they are made.
func nameDisks(t *fabric.Tx, vm *fabric.Document) {
	if t.Peek(diskID(vm)) == nil {
		return
	}
	vm.Body.Set(diskID(vm), "properties", "storageProfile", "osDisk", "managedDisk", "id")
	for _, disk := range dataDisks(vm) {
		disk.Default(dataDiskID(vm.ID, disk), "managedDisk", "id")
	}
}
