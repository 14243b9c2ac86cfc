package network

import (
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
)

// Routes are the operations of this provider.
func (p *Provider) Routes() []fabric.Route {
	const sub, group = "/subscriptions/{sub}", "/subscriptions/{sub}/resourceGroups/{group}"
	deletion := fabric.Async{Status: http.StatusAccepted, Async: true, Location: true, Notify: true, RetryAfter: 10}
	// Recorded: the deletion of an interface answers 200, not 202.
	interfaceDeletion := deletion
	interfaceDeletion.Status, interfaceDeletion.RetryAfter = http.StatusOK, 4

	var routes []fabric.Route
	top := func(resourceType string, put, del handler) {
		one := group + "/providers/" + resourceType + "/{name}"
		routes = append(routes,
			fabric.Route{Method: http.MethodGet, Pattern: sub + "/providers/" + resourceType, Action: resourceType + "/read", Partial: true, Handle: fabric.ListDocuments(resourceType)},
			fabric.Route{Method: http.MethodGet, Pattern: group + "/providers/" + resourceType, Action: resourceType + "/read", Partial: true, Handle: fabric.ListDocuments(resourceType)},
			fabric.Route{Method: http.MethodGet, Pattern: one, Action: resourceType + "/read", Handle: fabric.GetDocument},
			fabric.Route{Method: http.MethodPut, Pattern: one, Action: resourceType + "/write", Handle: put},
			fabric.Route{Method: http.MethodPatch, Pattern: one, Action: resourceType + "/write", Handle: patchTags},
			fabric.Route{Method: http.MethodDelete, Pattern: one, Action: resourceType + "/delete", Handle: del})
	}
	child := func(parent, segment string, put, del handler) {
		full := parent + "/" + segment
		many := group + "/providers/" + parent + "/{parent}/" + segment
		routes = append(routes,
			fabric.Route{Method: http.MethodGet, Pattern: many, Action: full + "/read", Handle: listChildren(full)},
			fabric.Route{Method: http.MethodGet, Pattern: many + "/{name}", Action: full + "/read", Handle: fabric.GetDocument},
			fabric.Route{Method: http.MethodPut, Pattern: many + "/{name}", Action: full + "/write", Handle: put},
			fabric.Route{Method: http.MethodDelete, Pattern: many + "/{name}", Action: full + "/delete", Handle: del})
	}
	inside := func(parent, segment string, rows func(*fabric.Tx, *fabric.Document) []any) {
		many := group + "/providers/" + parent + "/{parent}/" + segment
		list, get := part(rows)
		routes = append(routes,
			fabric.Route{Method: http.MethodGet, Pattern: many, Action: parent + "/read", Handle: list},
			fabric.Route{Method: http.MethodGet, Pattern: many + "/{name}", Action: parent + "/read", Handle: get})
	}
	query := func(pattern, action string, answer handler) {
		routes = append(routes, fabric.Route{Method: http.MethodGet, Pattern: pattern, Action: action, Handle: answer})
	}
	top(TypeVNet, putVNet, removeFromVNet(deletion))
	top(TypeNSG, putNSG, fabric.RemoveDocument(deletion))
	top(TypePublicIP, putPublicIP, fabric.RemoveDocument(deletion))
	top(TypeInterface, putInterface, fabric.RemoveDocument(interfaceDeletion))
	child(TypeVNet, "subnets", putSubnet, removeFromVNet(deletion))
	child(TypeNSG, "securityRules", putRule, fabric.RemoveDocument(deletion))
	inside(TypeNSG, "defaultSecurityRules", func(_ *fabric.Tx, nsg *fabric.Document) []any { return defaultRules(nsg) })
	inside(TypeInterface, "ipConfigurations", configurationsOf)

	const vnet, location = group + "/providers/" + TypeVNet + "/{name}", sub + "/providers/Microsoft.Network/locations/{location}"
	query(vnet+"|/usages", TypeVNet+"/usages/read", vnetUsages)
	query(vnet+"|/CheckIPAddressAvailability", TypeVNet+"/checkIpAddressAvailability/read", checkAddress)
	query(location+"/usages", "Microsoft.Network/locations/usages/read", usages)
	query(location+"/serviceTags", "Microsoft.Network/locations/serviceTags/read", serviceTags)
	query(location+"/CheckDnsNameAvailability", "Microsoft.Network/locations/checkDnsNameAvailability/read", checkDNSName)
	return routes
}

// listChildren is a list below a parent, which must be there.
func listChildren(resourceType string) handler {
	list := fabric.ListDocuments(resourceType)
	return func(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
		if parent := arm.Parent(r.ID + "/x"); t.Peek(parent) == nil {
			return nil, arm.NotFound(parent)
		}
		return list(t, r)
	}
}
