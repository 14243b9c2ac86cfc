package compute

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

func diskID(vm *fabric.Document) string {
	return arm.GroupID(vm.ID) + "/providers/" + TypeDisk + "/" + vm.Body.Str("properties", "storageProfile", "osDisk", "name")
}

func checkDiskName(t *fabric.Tx, vm *fabric.Document) error {
	name := vm.Body.Str("properties", "storageProfile", "osDisk", "name")
	if len(name) > 80 {
		return invalid("osDisk.name", "The disk name %s is longer than 80 characters.", name)
	}
	if t.Peek(diskID(vm)) != nil {
		return arm.Errorf(http.StatusConflict, "ConflictingUserInput", "Disk %s already exists in resource group %s. Only CreateOption.Attach is supported.", name, strings.ToUpper(arm.ParseID(vm.ID).Group))
	}
	return nil
}

// makeDisk makes a machine's OS disk. It gets the machine's tags once, by copy.
func makeDisk(t *fabric.Tx, vm *fabric.Document) {
	id := diskID(vm)
	if t.Peek(id) != nil {
		return
	}
	props := vm.Body.Obj("properties")
	disk := props.Obj("storageProfile", "osDisk")
	sku := disk.Str("managedDisk", "storageAccountType")
	tier, _, _ := strings.Cut(sku, "_")
	ref := props.Obj("storageProfile", "imageReference")
	body := diskBody(t, id, vm.Body.Str("location"), sku, strings.TrimSuffix(tier, "SSD"), disk.Int("diskSizeGB"))
	body["managedBy"] = vm.ID
	body.Set("Attached", "properties", "diskState")
	body.Set(fabric.Succeeded, "properties", "provisioningState")
	if image, err := findImage(ref); err == nil {
		body.Set(image.Generation, "properties", "hyperVGeneration")
	}
	body.Set(doc.Object{"createOption": "FromImage", "imageReference": doc.Object{"id": "/Subscriptions/" + t.World().Subscription + "/Providers/Microsoft.Compute/Locations/" +
		vm.Body.Str("location") + "/Publishers/" + ref.Str("publisher") + "/ArtifactTypes/VMImage/Offers/" + ref.Str("offer") + "/Skus/" + ref.Str("sku") + "/Versions/" + ref.Str("exactVersion")}},
		"properties", "creationData")
	body["tags"] = vm.Body.Obj("tags").Clone()
	if body.Obj("tags") == nil {
		delete(body, "tags")
	}
	t.Put(&fabric.Document{ID: id, Body: body})
}

func diskBody(t *fabric.Tx, id, location, sku, tier string, sizeGB int) doc.Object {
	return doc.Object{"name": arm.Name(id), "id": id, "type": TypeDisk, "location": location, "sku": doc.Object{"name": sku, "tier": tier},
		"properties": doc.Object{"osType": "Linux", "diskSizeGB": float64(sizeGB), "diskSizeBytes": float64(sizeGB) * (1 << 30), "uniqueId": uuid.NewString(),
			"timeCreated": fabric.Timestamp(t.World().Now()), "provisioningState": "Updating", "diskState": "Unattached",
			"creationData": doc.Object{"createOption": "Empty"}, "encryption": doc.Object{"type": "EncryptionAtRestWithPlatformKey"}, "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}}
}

// markDisk shows in the OS disk whether its machine is allocated.
func markDisk(t *fabric.Tx, vm *fabric.Document) {
	d := t.Get(diskID(vm))
	if d == nil {
		return
	}
	state := "Attached"
	if powerOf(vm) == Deallocated {
		state = "Reserved"
	}
	d.Body.Set(state, "properties", "diskState")
	t.Put(d)
}

func putDisk(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return nil, err
	}
	location := resources.Normalize(r.Body.Str("location"))
	if !resources.IsRegion(location) {
		return nil, arm.Gatewayf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	size := r.Body.Int("properties", "diskSizeGB")
	if size <= 0 {
		return nil, invalid("disk.diskSizeGB", "Required parameter 'disk.diskSizeGB' is missing (null).")
	}
	sku := r.Body.Str("sku", "name")
	if sku == "" {
		sku = "Standard_LRS"
	}
	tier, _, _ := strings.Cut(sku, "_")
	d := &fabric.Document{ID: r.ID, Body: diskBody(t, r.ID, location, sku, strings.TrimSuffix(tier, "SSD"), size)}
	if len(tags) > 0 {
		d.Body["tags"] = doc.OfStrings(tags)
	}
	if data := r.Body.Get("properties", "creationData"); data != nil {
		d.Body.Set(data, "properties", "creationData")
	}
	if old := t.Peek(r.ID); old != nil && old.Body.Str("managedBy") != "" {
		d.Body["managedBy"] = old.Body["managedBy"]
		d.Body.Set(old.Body.Str("properties", "diskState"), "properties", "diskState")
	}
	t.Put(d)
	op := t.Begin(diskOperation(d, jobDisk, r.Principal))
	return t.Accepted(r, op, fabric.Async{Status: http.StatusAccepted, Body: t.Peek(d.ID).Body, Async: true, Location: true, RetryAfter: 2}), nil
}

func diskOperation(d *fabric.Document, job string, by arm.Principal) fabric.Operation {
	return fabric.Operation{Job: job, Target: d.ID, Family: fabric.DiskFamily, Location: d.Body.Str("location"), Principal: by}
}

func removeDisk(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	if vm := d.Body.Str("managedBy"); vm != "" {
		return "", arm.Errorf(http.StatusConflict, "OperationNotAllowed", "Disk %s is attached to VM %s.", arm.Name(d.ID), vm)
	}
	if busy := t.Busy(d.ID); busy != nil && busy.Job == jobDiskOff {
		return busy.ID, nil
	}
	return t.Begin(diskOperation(d, jobDiskOff, opt.Principal)).ID, nil
}

func diskJob() fabric.Job {
	return fabric.Job{
		Takes: fabric.DiskWrite,
		Settle: func(t *fabric.Tx, op fabric.Operation, err error) {
			if d := t.Get(op.Target); d != nil {
				d.Body.Set(outcome(err), "properties", "provisioningState")
				t.Put(d)
			}
		},
	}
}

func outcome(err error) string {
	if err != nil {
		return fabric.Failed
	}
	return fabric.Succeeded
}

func diskGoneJob() fabric.Job {
	return fabric.Job{
		Takes: fabric.DiskDelete,
		Settle: func(t *fabric.Tx, op fabric.Operation, err error) {
			if err == nil {
				t.Delete(op.Target)
			}
		},
	}
}
