package compute

import (
	"net/http"
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
		return nil, invalid("$expand", "The value '%s' of the query parameter $expand is invalid.", expand)
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
	body := d.Body.Clone()
	if r.APIVersion < "2024-11-01" {
		delete(body, "etag")
	}
	if provisioning(d) == "Creating" && d.Hidden["inline"] != nil && t.World().Switches.Is(fabric.InlineNICIDs, "when-succeeded") {
		body.Set([]any{}, "properties", "networkProfile", "networkInterfaces")
	}
	return body
}

// listMachines answers a list. The group is upper-cased in every id, as recorded.
func listMachines(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	expand := r.Query.Get("$expand")
	if expand != "" && t.World().Switches.Is(fabric.ListExpand, "refused") {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidParameter",
			"The $expand query parameter can only be specified if a valid $filter option is specified.").About("$expand")
	}
	status := r.Query.Get("statusOnly") == "true"
	page := t.Page(r, TypeVM, func(d *fabric.Document) doc.Object {
		body := present(t, r, d)
		if status {
			body = body.Keep("name", "id", "type", "location", "properties")
			body["properties"] = body.Obj("properties").Keep("vmId", "provisioningState", "hardwareProfile")
		}
		if status || strings.EqualFold(expand, "instanceView") {
			body.Set(instanceView(d), "properties", "instanceView")
		}
		body["id"] = upperGroup(d.ID)
		return body
	})
	return page, nil
}

func upperGroup(id string) string {
	group := "/" + arm.ParseID(id).Group + "/"
	return strings.Replace(id, group, strings.ToUpper(group), 1)
}

// instanceView is what the platform sees of a machine. A machine without a power state
// has no such status; a deallocated one has no agent.
func instanceView(d *fabric.Document) doc.Object {
	since, power := d.Hidden.Str("stateSince"), powerOf(d)
	view := doc.Object{"hyperVGeneration": "V2", "disks": []any{}}
	if image, err := findImage(d.Body.Obj("properties", "storageProfile", "imageReference")); err == nil {
		view["hyperVGeneration"] = image.Generation
	}
	if power != Unknown {
		view["disks"] = []any{doc.Object{"name": d.Body.Str("properties", "storageProfile", "osDisk", "name"),
			"statuses": []any{status("ProvisioningState/succeeded", "Provisioning succeeded", since)}}}
	}
	if power == Running || power == Stopping || power == Stopped {
		view["computerName"], view["osName"], view["osVersion"] = d.Body.Str("properties", "osProfile", "computerName"), "debian", "12"
		ready := status("ProvisioningState/succeeded", "Ready", d.Hidden.Str("powerSince"))
		ready["message"] = "Guest Agent is running"
		view["vmAgent"] = doc.Object{"vmAgentVersion": "2.11.1.12", "statuses": []any{ready}, "extensionHandlers": []any{}}
	}
	view["statuses"] = statuses(d, power, since)
	return view
}

func statuses(d *fabric.Document, power PowerState, since string) []any {
	state := strings.ToLower(provisioning(d))
	text := map[string]string{"succeeded": "Provisioning succeeded", "failed": "Provisioning failed"}[state]
	if text == "" {
		text = strings.ToUpper(state[:1]) + state[1:]
	}
	first := status("ProvisioningState/"+state, text, since)
	if code := d.Hidden.Str("failure", "code"); code != "" {
		first["code"], first["level"], first["message"] = "ProvisioningState/failed/"+code, "Error", d.Hidden.Str("failure", "message")
	}
	out := []any{first}
	if power != Unknown {
		out = append(out, doc.Object{"code": "PowerState/" + string(power), "level": "Info", "displayStatus": "VM " + string(power)})
	}
	return out
}

func status(code, text, at string) doc.Object {
	return doc.Object{"code": code, "level": "Info", "displayStatus": text, "time": at}
}
