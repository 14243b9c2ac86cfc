package compute

import (
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
)

// generalize marks a machine as a template; there is no way back. It answers at once.
func generalize(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := t.Find(r.ID)
	if err != nil {
		return nil, err
	}
	if busy := t.Busy(d.ID); busy != nil && busy.Job != jobTags {
		return nil, conflict("generalize", d, busy)
	}
	if power := powerOf(d); power != Stopped && power != Deallocated {
		return nil, notAllowed("Operation 'generalize' is not allowed on VM '%s' since the VM is running.", arm.Name(d.ID))
	}
	d.Hidden["generalized"] = true
	t.Put(d)
	return arm.OK(nil), nil
}
