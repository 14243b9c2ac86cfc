package resources

import (
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// listResources answers the generic list of a group or subscription: what is tracked.
func listResources(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	scope := "/subscriptions/" + r.Params["sub"]
	if g := r.Params["group"]; g != "" {
		scope += "/resourceGroups/" + g
		if t.Peek(scope) == nil {
			return nil, arm.GroupNotFound(g)
		}
	}
	filter, err := parseFilter(r.Query.Get("$filter"), resourceProperties())
	if err != nil {
		return nil, err
	}
	rows, expand := []doc.Object{}, strings.ToLower(r.Query.Get("$expand"))
	for _, d := range t.Below(scope) {
		if k := t.World().KindOf(d.ID); k != nil && k.Tracked && t.Visible(d.ID) && filter.matches(describe(d, k.Type)) {
			rows = append(rows, generic(d, k.Type, expand))
		}
	}
	return arm.ListTop(r, rows)
}

func describe(d *fabric.Document, resourceType string) *row {
	return &row{id: d.ID, resourceType: resourceType, location: d.Body.Str("location"), principalID: d.Body.Str("identity", "principalId"), tags: d.Tags()}
}

// generic is a resource as generic lists show it: its envelope.
func generic(d *fabric.Document, resourceType, expand string) doc.Object {
	out := d.Body.Keep("id", "name", "location", "tags", "sku", "identity", "managedBy", "kind", "zones", "plan")
	out["type"] = resourceType
	for part := range strings.SplitSeq(expand, ",") {
		switch strings.TrimSpace(part) {
		case "provisioningstate":
			out["provisioningState"] = d.Body.Str("properties", "provisioningState")
		case "createdtime":
			out["createdTime"] = shortTime(d.Created)
		case "changedtime":
			out["changedTime"] = shortTime(d.Changed)
		}
	}
	return out
}

// shortTime is a time as ARM itself writes it.
func shortTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.0000000Z") }
