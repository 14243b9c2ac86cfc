package resources

import (
	"net/http"
	"regexp"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

var groupName = regexp.MustCompile(`^[\p{L}\p{N}_().-]{1,90}$`)

func putGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	name := r.Params["group"]
	if !groupName.MatchString(name) || strings.HasSuffix(name, ".") {
		return nil, arm.Gatewayf(http.StatusBadRequest, "InvalidResourceGroup",
			"The provided resource group name '%s' has these invalid characters or is too long. The name can only be a letter, digit, '-', '.', '(', ')' or '_' and cannot end in a period.", name)
	}
	location := Normalize(r.Body.Str("location"))
	if location == "" {
		return nil, arm.Gatewayf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	if !IsRegion(location) {
		return nil, arm.Gatewayf(http.StatusBadRequest, "LocationNotAvailableForResourceGroup",
			"The provided location '%s' is not available for resource group. List of available regions is '%s'.", location, strings.Join(RegionNames(), ","))
	}
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return nil, err
	}
	old := t.Get(r.ID)
	if old != nil && old.Body.Str("location") != location {
		return nil, groupElsewhere(old, location)
	}
	if old != nil {
		if err := checkNotDeleting(old); err != nil {
			return nil, err
		}
		return arm.OK(storeGroup(t, old.ID, location, r.Body, tags)), nil
	}
	return arm.Reply(http.StatusCreated, storeGroup(t, r.ID, location, r.Body, tags)), nil
}

func storeGroup(t *fabric.Tx, id, location string, given doc.Object, tags map[string]string) doc.Object {
	body := doc.Object{"id": id, "name": arm.Name(id), "type": arm.TypeGroup, "location": location,
		"properties": doc.Object{"provisioningState": fabric.Succeeded}}
	if given["tags"] != nil {
		body["tags"] = doc.OfStrings(tags)
	}
	if m := given.Str("managedBy"); m != "" {
		body["managedBy"] = m
	}
	t.Put(&fabric.Document{ID: id, Body: body})
	return body
}

func getGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if d := t.Peek(r.ID); d != nil {
		return arm.OK(d.Body), nil
	}
	return nil, arm.GroupNotFound(r.Params["group"])
}

func headGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if t.Peek(r.ID) != nil {
		return arm.Reply(http.StatusNoContent, nil), nil
	}
	return arm.Reply(http.StatusNotFound, nil), nil
}

// patchGroup replaces what a body names: tags, managedBy.
func patchGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Get(r.ID)
	if d == nil {
		return nil, arm.GroupNotFound(r.Params["group"])
	}
	if err := checkNotDeleting(d); err != nil {
		return nil, err
	}
	if location := Normalize(r.Body.Str("location")); location != "" && location != d.Body.Str("location") {
		return nil, groupElsewhere(d, location)
	}
	if r.Body["tags"] != nil {
		tags, err := arm.ReadTags(r.Body)
		if err != nil {
			return nil, err
		}
		d.Body["tags"] = doc.OfStrings(tags)
	}
	if m := r.Body.Str("managedBy"); m != "" {
		d.Body["managedBy"] = m
	}
	t.Put(d)
	return arm.OK(d.Body), nil
}

func groupElsewhere(d *fabric.Document, location string) error {
	return arm.Gatewayf(http.StatusConflict, "InvalidResourceGroupLocation",
		"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", location, d.Body.Str("location"))
}

// listGroups knows filters by tag only (azure-sdk-for-go#2480).
func listGroups(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	filter, err := parseFilter(r.Query.Get("$filter"), nil)
	if err != nil {
		return nil, err
	}
	rows := []doc.Object{}
	for _, d := range t.List(arm.TypeGroup, "/subscriptions/"+r.Params["sub"]) {
		if t.Visible(d.ID) && filter.matches(describe(d, arm.TypeGroup)) {
			rows = append(rows, d.Body)
		}
	}
	return arm.ListTop(r, rows)
}

func checkNotDeleting(group *fabric.Document) error {
	if group.Body.Str("properties", "provisioningState") != "Deleting" {
		return nil
	}
	return arm.Gatewayf(http.StatusConflict, "ResourceGroupBeingDeleted",
		"The resource group '%s' is in deprovisioning state and cannot perform this operation.", arm.Name(group.ID))
}
