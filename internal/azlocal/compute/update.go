package compute

import (
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

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
	if r.Body.Obj("properties") == nil && r.Body["identity"] == nil {
		tags, err := arm.ReadTags(r.Body)
		if err != nil {
			return nil, err
		}
		if err := setMachineTags(t, d, tags); err != nil {
			return nil, err
		}
		return arm.OK(present(t, r, t.Peek(d.ID))), nil
	}
	if err := checkUnchanged(r.Body.Obj("properties"), d); err != nil {
		return nil, err
	}
	if err := applyUpdate(t, r, d); err != nil {
		return nil, err
	}
	op := t.Begin(operation(t, d, jobUpdate, r.Principal))
	return t.Accepted(r, op, fabric.Async{Status: http.StatusOK, Body: present(t, r, t.Peek(d.ID)), Async: true, RetryAfter: 10}), nil
}

// applyUpdate takes over tags, size, identity and the options of deletion.
func applyUpdate(t *fabric.Tx, r *arm.Request, d *fabric.Document) error {
	if busy := t.Busy(d.ID); busy != nil {
		if busy.Job != jobTags {
			return conflict("update", d, busy)
		}
		t.Preempt(d.ID)
	}
	if r.Body["tags"] != nil {
		tags, err := arm.ReadTags(r.Body)
		if err != nil {
			return err
		}
		d.Body["tags"] = doc.OfStrings(tags)
	}
	given := r.Body.Obj("properties")
	if err := checkPriceChange(d, given); err != nil {
		return err
	}
	if price := given.Get("billingProfile", "maxPrice"); price != nil {
		d.Body.Set(price, "properties", "billingProfile", "maxPrice")
	}
	if name := given.Str("hardwareProfile", "vmSize"); name != "" {
		if _, ok := findSize(name); !ok {
			return invalid("vmSize", "The value %s provided for the VM size is not valid.", name)
		}
		d.Body.Set(name, "properties", "hardwareProfile", "vmSize")
	}
	if option := given.Str("storageProfile", "osDisk", "deleteOption"); option != "" {
		d.Body.Set(option, "properties", "storageProfile", "osDisk", "deleteOption")
	}
	for _, n := range given.List("networkProfile", "networkInterfaces") {
		for _, mine := range interfaces(d) {
			if arm.Key(mine.Str("id")) == arm.Key(n.Str("id")) && n["properties"] != nil {
				mine["properties"] = n["properties"]
			}
		}
	}
	if kind := r.Body.Str("identity", "type"); kind != "" && kind != d.Body.Str("identity", "type") {
		delete(d.Body, "identity")
		if err := giveIdentity(t, d, r.Body.Obj("identity")); err != nil {
			return err
		}
	}
	setProvisioning(t, d, "Updating")
	t.Put(d)
	return nil
}

func updateJob() fabric.Job {
	return fabric.Job{
		Takes: fabric.VMUpdate,
		Settle: settling(func(t *fabric.Tx, d *fabric.Document, op fabric.Operation, err error) {
			if err != nil {
				fail(t, d, op)
			} else {
				setProvisioning(t, d, fabric.Succeeded)
			}
			t.Put(d)
		}),
	}
}

// setMachineTags replaces a machine's tags. What happens while an operation runs is
// unknown; the switch decides.
func setMachineTags(t *fabric.Tx, d *fabric.Document, tags map[string]string) error {
	d.Body["tags"] = doc.OfStrings(tags)
	busy := t.Busy(d.ID)
	if busy == nil || busy.Job == jobTags {
		if busy == nil {
			setProvisioning(t, d, "Updating")
			t.Begin(operation(t, d, jobTags, arm.Principal{}))
		}
		t.Put(d)
		return nil
	}
	switches := t.World().Switches
	switch {
	case busy.Job == jobDelete:
		return conflict("update tags", d, busy)
	case switches.Is(fabric.TagWriteInOperation, "accepted"):
		t.Put(d)
		return nil
	case switches.Is(fabric.TagWriteInOperation, "preempts"):
		again := *busy
		t.Preempt(d.ID)
		again.ID = ""
		t.Begin(again)
		t.Put(d)
		return nil
	}
	return arm.Errorf(http.StatusConflict, "ConflictingConcurrentWriteNotAllowed",
		"Conflicting concurrent write on resource '%s' is not allowed. Please retry later.", d.ID)
}

// tagsJob ends the moment in which a tag write shows "Updating".
func tagsJob() fabric.Job { return updateJob() }
