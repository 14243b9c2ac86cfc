package compute

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// putDisk makes an empty disk or changes one that exists.
func putDisk(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if r.Body == nil {
		return nil, needsBody()
	}
	if old := t.Get(r.ID); old != nil {
		location := normalize(r.Body)
		if location != old.Body.Str("location") {
			return nil, otherLocation(old, location)
		}
		if data := r.Body.Str("properties", "creationData", "createOption"); data != "" && !strings.EqualFold(data, old.Body.Str("properties", "creationData", "createOption")) {
			return nil, changed("creationData.createOption")
		}
		return updateDisk(t, r, old)
	}
	d, err := newDisk(t, r)
	if err != nil {
		return nil, err
	}
	t.Put(d)
	return acceptDisk(t, r, d), nil
}

// patchDisk changes a disk that exists.
func patchDisk(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := t.Find(r.ID)
	if err != nil {
		return nil, err
	}
	return updateDisk(t, r, d)
}

func newDisk(t *fabric.Tx, r *arm.Request) (*fabric.Document, error) {
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return nil, err
	}
	if err := checkLocation(TypeDisk, normalize(r.Body)); err != nil {
		return nil, err
	}
	if err := checkEntity("disk.name", arm.Name(r.ID)); err != nil {
		return nil, err
	}
	if err := checkZones(r); err != nil {
		return nil, err
	}
	props := r.Body.Obj("properties")
	switch option := props.Str("creationData", "createOption"); {
	case option == "":
		return nil, missing("disk.creationData.createOption")
	case !strings.EqualFold(option, "Empty"):
		return nil, invalid("disk.creationData.createOption", "The value '%s' of parameter 'disk.creationData.createOption' is not allowed. Allowed values are 'Empty'.", option)
	case props.Get("diskSizeGB") == nil:
		return nil, missing("disk.diskSizeGB")
	}
	size, sku := props.Int("diskSizeGB"), r.Body.Str("sku", "name")
	if err := checkDiskSize("disk.diskSizeGB", size); err != nil {
		return nil, err
	}
	if sku == "" {
		sku = "Standard_LRS"
	}
	if err := checkDiskSKU("sku.name", sku); err != nil {
		return nil, err
	}
	d := &fabric.Document{ID: r.ID, Body: diskBody(t, r.ID, normalize(r.Body), sku, size)}
	if len(tags) > 0 {
		d.Body["tags"] = doc.OfStrings(tags)
	}
	if zones := r.Body["zones"]; zones != nil {
		d.Body["zones"] = zones
	}
	mergeDisk(d, props)
	return d, nil
}

// mergeDisk takes over the settings that mean nothing to the platform here.
func mergeDisk(d *fabric.Document, given doc.Object) {
	for _, key := range []string{"osType", "hyperVGeneration", "networkAccessPolicy", "publicNetworkAccess", "maxShares", "tier", "burstingEnabled",
		"diskIOPSReadWrite", "diskMBpsReadWrite", "optimizedForFrequentAttach", "supportsHibernation", "encryption", "purchasePlan", "supportedCapabilities", "dataAccessAuthMode"} {
		if v := given[key]; v != nil {
			d.Body.Set(v, "properties", key)
		}
	}
}

// updateDisk is a PATCH, or a PUT on a disk that exists: size, kind, tags.
func updateDisk(t *fabric.Tx, r *arm.Request, d *fabric.Document) (*arm.Response, error) {
	if busy := t.Busy(d.ID); busy != nil && busy.Job == jobDiskOff {
		return nil, notAllowed("Operation 'update' is not allowed on disk '%s' since the disk is marked for deletion.", arm.Name(d.ID))
	}
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return nil, err
	}
	if r.Body["tags"] != nil || r.Method == http.MethodPut {
		d.Body["tags"] = doc.OfStrings(tags)
	}
	if err := resizeDisk(d, r.Body.Obj("properties")); err != nil {
		return nil, err
	}
	if err := changeSKU(d, r.Body.Str("sku", "name")); err != nil {
		return nil, err
	}
	mergeDisk(d, r.Body.Obj("properties"))
	d.Body.Set("Updating", "properties", "provisioningState")
	t.Preempt(d.ID)
	t.Put(d)
	if vm := t.Get(d.Body.Str("managedBy")); vm != nil && showSize(vm, d) {
		t.Put(vm)
	}
	return acceptDisk(t, r, d), nil
}

// changeSKU changes the kind of a disk that no allocated machine has.
func changeSKU(d *fabric.Document, sku string) error {
	if sku == "" || sku == d.Body.Str("sku", "name") {
		return nil
	}
	if err := checkDiskSKU("sku.name", sku); err != nil {
		return err
	}
	if inUse(d) {
		return notAllowed("Cannot change the storage account type of disk %s while it is attached to running VM %s.", arm.Name(d.ID), d.Body.Str("managedBy"))
	}
	d.Body["sku"] = doc.Object{"name": sku, "tier": diskTier(sku)}
	return nil
}

// showSize shows a disk's size and kind at its machine, and tells whether that has changed.
func showSize(vm, disk *fabric.Document) bool {
	for _, own := range append(dataDisks(vm), vm.Body.Obj("properties", "storageProfile", "osDisk")) {
		if !strings.EqualFold(own.Str("name"), disk.Body.Str("name")) {
			continue
		}
		before := own.Clone()
		own["diskSizeGB"] = disk.Body.Get("properties", "diskSizeGB")
		own.Set(disk.Body.Str("sku", "name"), "managedDisk", "storageAccountType")
		return !same(before, own)
	}
	return false
}

// inUse tells whether a disk is at a machine that is allocated.
func inUse(d *fabric.Document) bool { return d.Body.Str("properties", "diskState") == "Attached" }

// resizeDisk lets a disk grow that no allocated machine has. Texts: kubernetes#96706 and a
// correction of the documentation (azure-docs#57951); the code of the second is unknown.
func resizeDisk(d *fabric.Document, given doc.Object) error {
	size, now := given.Int("diskSizeGB"), d.Body.Int("properties", "diskSizeGB")
	if size == 0 || size == now {
		return nil
	}
	if err := checkDiskSize("disk.diskSizeGB", size); err != nil {
		return err
	}
	switch {
	case size < now:
		return notAllowed("The disk/snapshot resource with id %s cannot be resized down. Reducing disk/snapshot size is not supported in Azure to prevent data loss. If you do need to reduce the size of the disk, please create new snapshot/disks with the appropriate size. More information is available at https://aka.ms/AzureDisksFAQ", d.ID)
	case inUse(d):
		return notAllowed("Cannot resize disk %s while it is attached to running VM %s. Resizing a disk of an Azure Virtual Machine requires the virtual machine to be deallocated. Please stop your VM and retry the operation.", arm.Name(d.ID), d.Body.Str("managedBy"))
	}
	d.Body.Set(float64(size), "properties", "diskSizeGB")
	d.Body.Set(float64(size)*(1<<30), "properties", "diskSizeBytes")
	return nil
}

// acceptDisk answers a write to a disk: 202 with the disk as it will be.
func acceptDisk(t *fabric.Tx, r *arm.Request, d *fabric.Document) *arm.Response {
	op := t.Begin(diskOperation(d, jobDisk, r.Principal))
	return t.Accepted(r, op, fabric.Async{Status: http.StatusAccepted, Body: t.Peek(d.ID).Body, Async: true, Location: true, RetryAfter: 2})
}
