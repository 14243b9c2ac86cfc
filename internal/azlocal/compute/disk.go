package compute

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// maxDiskGB is the largest managed disk (documentation: disks-types).
const maxDiskGB = 65536

// diskSKUs are the kinds of managed disks; a tier is what precedes "_".
func diskSKUs() []string {
	return []string{"Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_LRS", "Premium_ZRS", "PremiumV2_LRS", "UltraSSD_LRS"}
}

// diskTier is the tier of a kind: "Standard" of "StandardSSD_LRS".
func diskTier(sku string) string {
	tier, _, _ := strings.Cut(sku, "_")
	switch tier {
	case "StandardSSD":
		return "Standard"
	case "UltraSSD":
		return "Ultra"
	}
	return tier
}

// diskID is where a machine's OS disk is.
func diskID(vm *fabric.Document) string { return beside(vm.ID, osDiskName(vm)) }

func osDiskName(vm *fabric.Document) string {
	return vm.Body.Str("properties", "storageProfile", "osDisk", "name")
}

// beside is where a disk is that a machine's write makes.
func beside(vm, name string) string {
	return arm.GroupID(vm) + "/providers/" + TypeDisk + "/" + name
}

// checkNewDisk refuses a name that a disk cannot have, and a place that one has already.
func checkNewDisk(t *fabric.Tx, id, name, target string) error {
	if err := checkEntity(target, name); err != nil {
		return err
	}
	if t.Peek(id) != nil {
		return arm.Errorf(http.StatusConflict, "ConflictingUserInput", "Disk %s already exists in resource group %s. Only CreateOption.Attach is supported.", arm.Name(id), strings.ToUpper(arm.ParseID(id).Group)).About(target)
	}
	return nil
}

func checkDiskSKU(target, sku string) error {
	if slices.Contains(diskSKUs(), sku) {
		return nil
	}
	return invalid(target, "The value '%s' of parameter '%s' is not allowed. Allowed values are '%s'.", sku, target, strings.Join(diskSKUs(), ","))
}

func checkDiskSize(target string, size int) error {
	if size > 0 && size <= maxDiskGB {
		return nil
	}
	return invalid(target, "The value '%d' of parameter '%s' is out of range. The value must be between '1' and '%d', inclusive.", size, target, maxDiskGB)
}

// makeDisk makes a machine's OS disk. It gets the machine's tags once, by copy.
func makeDisk(t *fabric.Tx, vm *fabric.Document) {
	id := diskID(vm)
	if t.Peek(id) != nil {
		return
	}
	props := vm.Body.Obj("properties")
	disk, ref := props.Obj("storageProfile", "osDisk"), props.Obj("storageProfile", "imageReference")
	body := diskBody(t, id, vm.Body.Str("location"), disk.Str("managedDisk", "storageAccountType"), disk.Int("diskSizeGB"))
	body.Set("Linux", "properties", "osType")
	body.Set(fabric.Succeeded, "properties", "provisioningState")
	if image, err := findImage(ref); err == nil {
		body.Set(image.Generation, "properties", "hyperVGeneration")
	}
	body.Set(doc.Object{"createOption": "FromImage", "imageReference": doc.Object{"id": "/Subscriptions/" + t.World().Subscription + "/Providers/Microsoft.Compute/Locations/" +
		vm.Body.Str("location") + "/Publishers/" + ref.Str("publisher") + "/ArtifactTypes/VMImage/Offers/" + ref.Str("offer") + "/Skus/" + ref.Str("sku") + "/Versions/" + ref.Str("exactVersion")}},
		"properties", "creationData")
	if tags := vm.Body.Obj("tags").Clone(); tags != nil {
		body["tags"] = tags
	}
	if zones := vm.Body["zones"]; zones != nil {
		body["zones"] = zones
	}
	own(t, &fabric.Document{ID: id, Body: body}, vm)
}

func diskBody(t *fabric.Tx, id, location, sku string, sizeGB int) doc.Object {
	return doc.Object{"name": arm.Name(id), "id": id, "type": TypeDisk, "location": location, "sku": doc.Object{"name": sku, "tier": diskTier(sku)},
		"properties": doc.Object{"diskSizeGB": float64(sizeGB), "diskSizeBytes": float64(sizeGB) * (1 << 30), "uniqueId": uuid.NewString(),
			"timeCreated": fabric.Timestamp(t.World().Now()), "provisioningState": "Updating", "diskState": "Unattached",
			"creationData": doc.Object{"createOption": "Empty"}, "encryption": doc.Object{"type": "EncryptionAtRestWithPlatformKey"}, "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}}
}

func diskOperation(d *fabric.Document, job string, by arm.Principal) fabric.Operation {
	return fabric.Operation{Job: job, Target: d.ID, Family: fabric.DiskFamily, Location: d.Body.Str("location"), Principal: by}
}

func removeDisk(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	if vm := d.Body.Str("managedBy"); vm != "" {
		return "", notAllowed("Disk %s is attached to VM %s.", arm.Name(d.ID), vm)
	}
	if busy := t.Busy(d.ID); busy != nil && busy.Job == jobDiskOff {
		return busy.ID, nil
	}
	t.Preempt(d.ID)
	d.Body.Set("Deleting", "properties", "provisioningState")
	t.Put(d)
	return t.Begin(diskOperation(d, jobDiskOff, opt.Principal)).ID, nil
}

// diskJob ends a write to a disk. What it changes has been stored with the request.
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
			} else if d := t.Get(op.Target); d != nil {
				d.Body.Set(fabric.Failed, "properties", "provisioningState")
				t.Put(d)
			}
		},
	}
}
