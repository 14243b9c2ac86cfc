package compute

import (
	"context"
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// replaceMachine is a PUT on a machine that exists. One that has never run, for want of
// capacity say, is tried again.
func replaceMachine(t *fabric.Tx, r *arm.Request, d *fabric.Document) (*arm.Response, error) {
	location := normalize(r.Body)
	if err := checkLocation(TypeVM, location); err != nil {
		return nil, err
	}
	if location != d.Body.Str("location") {
		return nil, otherLocation(d, location)
	}
	retry := powerOf(d) == Unknown
	op, err := beginUpdate(t, r, d)
	if err != nil {
		return nil, err
	}
	if retry {
		op.Job = jobCreate
	}
	return acceptMachine(t, r, d, t.Begin(op), http.StatusOK), nil
}

// patchMachine replaces the tags and changes what may change. A PATCH of tags is 200
// without asynchronous headers, recorded.
func patchMachine(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := t.Find(r.ID)
	if err != nil {
		return nil, err
	}
	if err := arm.CheckMatch(r, d.ID, d.Body.Str("etag")); err != nil {
		return nil, err
	}
	if r.Body == nil {
		return nil, needsBody()
	}
	spell(r.Body)
	if r.Body.Obj("properties") == nil && r.Body["identity"] == nil {
		tags, err := arm.ReadTags(r.Body)
		if err != nil {
			return nil, err
		}
		if r.Body["tags"] == nil {
			tags = d.Tags()
		}
		if err := setMachineTags(t, d, tags); err != nil {
			return nil, err
		}
		body := present(t, r, t.Peek(d.ID))
		return tagged(arm.OK(body), body), nil
	}
	op, err := beginUpdate(t, r, d)
	if err != nil {
		return nil, err
	}
	return acceptMachine(t, r, d, t.Begin(op), http.StatusOK), nil
}

// beginUpdate checks a write to a machine that exists, stores what it changes, and prepares
// the operation that carries it out.
func beginUpdate(t *fabric.Tx, r *arm.Request, d *fabric.Document) (fabric.Operation, error) {
	none := fabric.Operation{}
	if busy := t.Busy(d.ID); busy != nil {
		if busy.Job != jobTags {
			return none, conflict("update", d, busy)
		}
		t.Preempt(d.ID)
	}
	if err := checkUnchanged(t, r, d); err != nil {
		return none, err
	}
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return none, err
	}
	if r.Body["tags"] != nil {
		d.Body["tags"] = doc.OfStrings(tags)
	} else if r.Method == http.MethodPut {
		delete(d.Body, "tags") // a PUT says all (ARM's contract of resources)
	}
	before, size := dataDisks(d), sizeOf(d)
	if err := applyUpdate(t, d, r.Body.Obj("properties")); err != nil {
		return none, err
	}
	if err := giveIdentity(t, d, r.Body.Obj("identity")); err != nil {
		return none, err
	}
	var fate *fabric.Fate
	resized := size != sizeOf(d)
	if power := powerOf(d); power == Unknown && r.Method == http.MethodPut || resized && power.Billed() {
		if fate, err = allocate(t, d); err != nil { // it needs another host
			return none, err
		}
	}
	setProvisioning(t, d, "Updating")
	t.Put(d)
	takeDisks(t, d, before)
	op := operation(t, d, jobUpdate, r.Principal)
	op.Input, op.Fate = doc.Object{"resized": resized}, fate
	return op, nil
}

// applyUpdate takes over what may change in the properties.
func applyUpdate(t *fabric.Tx, d *fabric.Document, given doc.Object) error {
	props := d.Body.Obj("properties")
	if err := checkPriceChange(d, given); err != nil {
		return err
	}
	if price := given.Get("billingProfile", "maxPrice"); price != nil {
		props.Set(price, "billingProfile", "maxPrice")
	}
	size, err := resizeMachine(t, d, given.Str("hardwareProfile", "vmSize"))
	if err != nil {
		return err
	}
	if err := updateStorage(t, d, given.Obj("storageProfile"), size); err != nil {
		return err
	}
	if list := given.List("networkProfile", "networkInterfaces"); len(list) > 0 {
		if err := updateInterfaces(t, d, list, size); err != nil {
			return err
		}
	}
	if err := checkUserData(given); err != nil {
		return err
	}
	if v, ok := given["userData"]; ok {
		d.Hidden["userData"] = v
	}
	if given.Bool("additionalCapabilities", "hibernationEnabled") {
		return arm.Errorf(http.StatusBadRequest, "BadRequest", "Hibernation capability can only be set while creating a new VM. For more information, see https://aka.ms/hibernate-resume/errors.")
	}
	for _, path := range [][]string{{"diagnosticsProfile"}, {"securityProfile"}, {"licenseType"}, {"extensionsTimeBudget"}, {"scheduledEventsProfile"}, {"scheduledEventsPolicy"},
		{"applicationProfile"}, {"additionalCapabilities"}, {"capacityReservation"}, {"proximityPlacementGroup"},
		{"osProfile", "allowExtensionOperations"}, {"osProfile", "linuxConfiguration", "patchSettings"}, {"osProfile", "linuxConfiguration", "enableVMAgentPlatformUpdates"}} {
		if v := given.Get(path...); v != nil {
			props.Set(v, path...)
		}
	}
	return nil
}

// resizeMachine gives a machine another size, where that has room for what it has.
func resizeMachine(t *fabric.Tx, d *fabric.Document, name string) (Size, error) {
	now, _ := findSize(sizeOf(d))
	if name == "" || strings.EqualFold(name, now.Name) {
		return now, nil
	}
	size, ok := findSize(name)
	if !ok {
		return now, unknownSize(name)
	}
	image, err := findImage(d.Body.Obj("properties", "storageProfile", "imageReference"))
	if err != nil {
		return now, err
	}
	if err := checkBoot(size, image); err != nil {
		return now, err
	}
	if isSpot(d.Body) {
		if err := checkSpot(d.Body.Obj("properties"), size); err != nil {
			return now, err
		}
	}
	if err := checkResize(t, d, size); err != nil {
		return now, err
	}
	d.Body.Set(size.Name, "properties", "hardwareProfile", "vmSize")
	return size, nil
}

// updateStorage changes the options of the OS disk, and which data disks there are.
func updateStorage(t *fabric.Tx, d *fabric.Document, given doc.Object, size Size) error {
	storage := d.Body.Obj("properties", "storageProfile")
	if err := checkDeleteOption("osDisk.deleteOption", given.Str("osDisk", "deleteOption")); err != nil {
		return err
	}
	for _, key := range []string{"caching", "deleteOption", "writeAcceleratorEnabled"} {
		if v := given.Get("osDisk", key); v != nil {
			storage.Set(v, "osDisk", key)
		}
	}
	if err := updateOSDisk(t, d, given.Obj("osDisk")); err != nil {
		return err
	}
	list := dataDisks(d)
	if _, ok := given["dataDisks"].([]any); ok {
		list = given.List("dataDisks")
	}
	disks, err := planDisks(t, d, list, size)
	if err != nil {
		return err
	}
	storage["dataDisks"] = disks
	return nil
}

// updateOSDisk lets the OS disk of a deallocated machine grow, or change its kind.
func updateOSDisk(t *fabric.Tx, d *fabric.Document, given doc.Object) error {
	disk := t.Get(diskID(d))
	if disk == nil || given == nil {
		return nil
	}
	if err := resizeDisk(disk, given); err != nil {
		return err
	}
	if err := changeSKU(disk, given.Str("managedDisk", "storageAccountType")); err != nil {
		return err
	}
	if !same(disk.Body, t.Peek(disk.ID).Body) {
		t.Put(disk)
		showSize(d, disk)
	}
	return nil
}

func updateJob(p *Provider) fabric.Job {
	return fabric.Job{
		Takes: fabric.VMUpdate,
		// A machine that runs boots with its new size.
		Work: func(ctx context.Context, op fabric.Operation) error {
			spec, rules, ok := p.describe(op.Target)
			if !ok || !op.Input.Bool("resized") || !p.runs(op.Target) {
				return nil
			}
			return redeploy(ctx, p.Driver, spec, rules, false)
		},
		Settle: settling(func(t *fabric.Tx, d *fabric.Document, op fabric.Operation, err error) {
			if err != nil {
				fail(t, d, op)
			} else {
				setProvisioning(t, d, fabric.Succeeded)
				nameDisks(t, d)
			}
			t.Put(d)
		}),
	}
}

// runs tells whether a machine is running.
func (p *Provider) runs(id string) (running bool) {
	p.world.View(func(t *fabric.Tx) {
		d := t.Peek(id)
		running = d != nil && powerOf(d) == Running
	})
	return running
}
