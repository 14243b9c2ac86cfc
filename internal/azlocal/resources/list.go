package resources

import (
	"regexp"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// listResources answers the generic list of a group or subscription.
func listResources(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	scope := "/subscriptions/" + r.Params["sub"]
	if g := r.Params["group"]; g != "" {
		scope += "/resourceGroups/" + g
	}
	rows, filter := []doc.Object{}, r.Query.Get("$filter")
	for _, d := range t.Below(scope) {
		k := t.World().KindOf(d.ID)
		if k == nil || !k.Tracked || !t.Visible(d.ID) || !typeFilter(filter, k.Type) || !tagFilter(filter, d) {
			continue
		}
		row := d.Body.Keep("id", "name", "location", "tags", "sku", "identity", "managedBy", "kind")
		row["type"] = k.Type
		if strings.Contains(r.Query.Get("$expand"), "provisioningState") {
			row["provisioningState"] = d.Body.Str("properties", "provisioningState")
		}
		rows = append(rows, row)
	}
	return arm.List(r, rows), nil
}

var (
	typeEq  = regexp.MustCompile(`(?i)resourceType\s+eq\s+'([^']*)'`)
	tagName = regexp.MustCompile(`(?i)tagName\s+eq\s+'([^']*)'`)
	tagVal  = regexp.MustCompile(`(?i)tagValue\s+eq\s+'([^']*)'`)
)

func typeFilter(filter, resourceType string) bool {
	m := typeEq.FindStringSubmatch(filter)
	return m == nil || strings.EqualFold(m[1], resourceType)
}

func tagFilter(filter string, d *fabric.Document) bool {
	name := tagName.FindStringSubmatch(filter)
	if name == nil {
		return true
	}
	value := tagVal.FindStringSubmatch(filter)
	for k, v := range d.Tags() {
		if strings.EqualFold(k, name[1]) && (value == nil || v == value[1]) {
			return true
		}
	}
	return false
}
