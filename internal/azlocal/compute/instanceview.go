package compute

import (
	"strings"

	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// instanceView is what the platform sees of a machine. A machine without a power state
// has no such status; a deallocated one has no agent.
func instanceView(d *fabric.Document) doc.Object {
	power := powerOf(d)
	view := doc.Object{"hyperVGeneration": "V2", "disks": diskViews(d), "statuses": statuses(d)}
	if image, err := findImage(d.Body.Obj("properties", "storageProfile", "imageReference")); err == nil {
		view["hyperVGeneration"] = image.Generation
	}
	if power == Running || power == Stopping || power == Stopped {
		view["computerName"], view["osName"], view["osVersion"] = d.Body.Str("properties", "osProfile", "computerName"), "debian", "12"
		view["vmAgent"] = agentView(d)
	}
	return view
}

// agentView is what the guest's agent says of itself.
func agentView(d *fabric.Document) doc.Object {
	since := d.Hidden.Str("powerSince")
	if !hasAgent(d) {
		absent := doc.Object{"code": "ProvisioningState/Unavailable", "level": "Warning", "displayStatus": "Not Ready",
			"message": "VM Agent is unresponsive.", "time": since}
		return doc.Object{"vmAgentVersion": "Unknown", "statuses": []any{absent}}
	}
	ready := status("ProvisioningState/succeeded", "Ready", since)
	ready["message"] = "Guest Agent is running"
	return doc.Object{"vmAgentVersion": "2.11.1.12", "statuses": []any{ready}, "extensionHandlers": []any{}}
}

// hasAgent tells whether a machine was made with the agent.
func hasAgent(d *fabric.Document) bool {
	return d.Body.Get("properties", "osProfile", "linuxConfiguration", "provisionVMAgent") != false
}

func diskViews(d *fabric.Document) []any {
	views := []any{}
	if powerOf(d) == Unknown {
		return views
	}
	since := d.Hidden.Str("stateSince")
	for _, disk := range append([]doc.Object{d.Body.Obj("properties", "storageProfile", "osDisk")}, dataDisks(d)...) {
		views = append(views, doc.Object{"name": disk.Str("name"),
			"statuses": []any{status("ProvisioningState/succeeded", "Provisioning succeeded", since)}})
	}
	return views
}

func statuses(d *fabric.Document) []any {
	power, since := powerOf(d), d.Hidden.Str("stateSince")
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
	if state == "creating" && d.Hidden.Bool("booting") {
		out = append(out, status("ProvisioningState/creating/OSProvisioningInProgress", "OS Provisioning In progress", since))
	}
	if d.Hidden.Bool("generalized") {
		out = append(out, doc.Object{"code": "OSState/generalized", "level": "Info", "displayStatus": "VM generalized"})
	}
	if power != Unknown {
		out = append(out, doc.Object{"code": "PowerState/" + string(power), "level": "Info", "displayStatus": "VM " + string(power)})
	}
	return out
}

func status(code, text, at string) doc.Object {
	return doc.Object{"code": code, "level": "Info", "displayStatus": text, "time": at}
}
