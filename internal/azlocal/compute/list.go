package compute

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// ofScaleSet is the only filter of lists of machines (specification).
var ofScaleSet = regexp.MustCompile(`(?i)^\s*'?virtualMachineScaleSet/id'?\s+eq\s+'[^']*'\s*$`)

// creating is in the properties of a machine whose interfaces may have to be hidden.
var creating = []byte(`"Creating"`)

// listMachines answers the lists of a group and of a subscription.
func listMachines(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	filter, expand := r.Query.Get("$filter"), r.Query.Get("$expand")
	switch {
	case filter != "" && !ofScaleSet.MatchString(filter):
		return nil, invalid("$filter", "The value '%s' of the query parameter $filter is invalid. The only supported filter is 'virtualMachineScaleSet/id'.", filter)
	case filter == "" && expand != "" && t.World().Switches.Is(fabric.ListExpand, "refused"):
		return nil, invalid("$expand", "The $expand query parameter can only be specified if a valid $filter option is specified.")
	case expand != "" && !strings.EqualFold(expand, "instanceView"):
		return nil, badExpand(expand)
	case filter != "": // no scale sets are here
		return arm.List(r, []doc.Object{}), nil
	}
	show := row{view: strings.EqualFold(expand, "instanceView")}
	if arm.ParseID(r.ID).Group == "" && strings.EqualFold(r.Query.Get("statusOnly"), "true") {
		show = row{view: true, reduced: true}
	}
	if show.view {
		return t.Page(r, TypeVM, func(d *fabric.Document) doc.Object { return show.of(t, r, d) }), nil
	}
	return t.Skim(r, TypeVM, func(d *fabric.Document) doc.Object {
		if raw, ok := d.Body["properties"].(json.RawMessage); ok && bytes.Contains(raw, creating) {
			d = t.Peek(d.ID)
		}
		return show.of(t, r, d)
	}), nil
}

// listByLocation answers the machines of a region.
func listByLocation(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	location := resources.Normalize(r.Params["location"])
	if err := checkLocation(TypeVM, location); err != nil {
		return nil, err
	}
	here := []*fabric.Document{}
	for _, d := range t.List(TypeVM, "/subscriptions/"+arm.ParseID(r.ID).Subscription) {
		if t.Visible(d.ID) && d.Body.Str("location") == location {
			here = append(here, d)
		}
	}
	return arm.ListOf(r, len(here), func(i int) string { return here[i].ID }, func(i int) doc.Object { return row{}.of(t, r, here[i]) }), nil
}

// row is how a list shows each machine.
type row struct{ view, reduced bool }

// of is a machine in a list. The group is upper-cased in its id, as recorded.
func (w row) of(t *fabric.Tx, r *arm.Request, d *fabric.Document) doc.Object {
	body := presentShared(t, r, d)
	if w.reduced || w.view {
		body = body.Clone()
	}
	if w.reduced {
		body = body.Keep("name", "id", "type", "location", "properties")
		body["properties"] = body.Obj("properties").Keep("vmId", "provisioningState", "hardwareProfile")
	}
	if w.view {
		body.Set(instanceView(d), "properties", "instanceView")
	}
	body["id"] = upperGroup(d.ID)
	return body
}

func upperGroup(id string) string {
	group := "/" + arm.ParseID(id).Group + "/"
	return strings.Replace(id, group, strings.ToUpper(group), 1)
}

func badExpand(expand string) error {
	return arm.Errorf(http.StatusBadRequest, "InvalidParameter", "The value '%s' of the query parameter $expand is invalid.", expand).About("$expand")
}
