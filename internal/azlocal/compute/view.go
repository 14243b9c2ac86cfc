package compute

import (
	"maps"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func getMachine(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Peek(r.ID)
	if d == nil {
		return nil, arm.NotFound(r.ID)
	}
	body := present(t, r, d)
	switch expand := r.Query.Get("$expand"); {
	case expand == "":
	case strings.EqualFold(expand, "instanceView"):
		body.Set(instanceView(d), "properties", "instanceView")
	case strings.EqualFold(expand, "userData"):
		if data := d.Hidden.Str("userData"); data != "" {
			body.Set(data, "properties", "userData")
		}
	default:
		return nil, badExpand(expand)
	}
	return tagged(arm.OK(body), body), nil
}

func getInstanceView(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Peek(r.ID)
	if d == nil {
		return nil, arm.NotFound(r.ID)
	}
	return arm.OK(instanceView(d)), nil
}

// present is a machine as an answer shows it to this request.
func present(t *fabric.Tx, r *arm.Request, d *fabric.Document) doc.Object {
	return presentShared(t, r, d).Clone()
}

// presentShared is present for a caller that changes nothing below the first level: the
// rest is the stored document's. A page has a thousand of them.
func presentShared(t *fabric.Tx, r *arm.Request, d *fabric.Document) doc.Object {
	body := maps.Clone(d.Body)
	if r.APIVersion < "2024-11-01" {
		delete(body, "etag")
	}
	if provisioning(d) == "Creating" && d.Hidden["inline"] != nil && t.World().Switches.Is(fabric.InlineNICIDs, "when-succeeded") {
		body = body.Clone()
		body.Set([]any{}, "properties", "networkProfile", "networkInterfaces")
	}
	return body
}
