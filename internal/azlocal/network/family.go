package network

import (
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// A virtual network and its subnets share one ETag, as recorded, and so do a security group and its
// rules: it is the parent's, and every write to a child changes it.

// withFamilyTag is a child as it is answered.
func withFamilyTag(t *fabric.Tx, d *fabric.Document) doc.Object {
	body := d.Body.Clone()
	if parent := t.Peek(arm.Parent(d.ID)); parent != nil {
		body["etag"] = parent.Body["etag"]
	}
	return body
}

// touch gives the parent of a changed child another ETag.
func touch(t *fabric.Tx, child string) {
	if parent := t.Get(arm.Parent(child)); parent != nil {
		t.Put(parent)
	}
}

// checkChild refuses the write of a child whose parent is not there or goes, and applies its
// If-Match. It returns the parent.
func checkChild(t *fabric.Tx, r *arm.Request) (parent *fabric.Document, existed bool, err error) {
	id := arm.Parent(r.ID)
	p := arm.ParseID(r.ID)
	if parent = t.Peek(id); parent == nil {
		return nil, false, arm.Gatewayf(http.StatusNotFound, "ParentResourceNotFound",
			"Failed to perform 'write' on resource(s) of type '%s/%s', because the parent resource '%s' could not be found.", p.Types[0], p.Types[1], id)
	}
	if r.Body == nil {
		return nil, false, arm.Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: a body is required.")
	}
	for _, d := range []*fabric.Document{parent, t.Peek(r.ID)} {
		if err := stays(t, r, d); err != nil {
			return nil, false, err
		}
	}
	etag := ""
	if existed = t.Peek(r.ID) != nil; existed {
		etag = parent.Body.Str("etag")
	}
	return parent, existed, arm.CheckMatch(r, r.ID, etag)
}

// vnetFree refuses to work on a virtual network while something else does.
func vnetFree(t *fabric.Tx, r *arm.Request, vnet string) error {
	ids := []string{vnet}
	for _, s := range t.List(TypeSubnet, vnet) {
		ids = append(ids, s.ID)
	}
	for _, id := range ids {
		if op := t.Busy(id); op != nil {
			return inProgress(r, op)
		}
	}
	return nil
}

func inProgress(r *arm.Request, op *fabric.Operation) error {
	return arm.Errorf(http.StatusConflict, "AnotherOperationInProgress",
		"Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: %s/subscriptions/%s/providers/Microsoft.Network/locations/%s/operations/%s?api-version=%s.",
		r.Origin, op.Subscription, op.Location, op.ID, r.APIVersion)
}

// stays refuses to write to a resource that is being deleted: what is written would vanish.
func stays(t *fabric.Tx, r *arm.Request, d *fabric.Document) error {
	if d == nil || !deleting(d) {
		return nil
	}
	if op := t.Busy(d.ID); op != nil {
		return inProgress(r, op)
	}
	return nil
}

// removeFromVNet is the deletion of a virtual network or subnet on request: not while something else
// works on the network, unless that is the same deletion.
func removeFromVNet(family fabric.Async) handler {
	remove := fabric.RemoveDocument(family)
	return func(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
		vnet := r.ID
		if arm.ParseID(r.ID).Type() == TypeSubnet {
			vnet = arm.Parent(r.ID)
		}
		if op := t.Busy(r.ID); op == nil || op.Job != jobRemove {
			if err := vnetFree(t, r, vnet); err != nil {
				return nil, err
			}
		}
		return remove(t, r)
	}
}
