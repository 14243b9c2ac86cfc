package compute

import (
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

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
func tagsJob() fabric.Job {
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
