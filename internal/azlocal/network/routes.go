package network

import (
	"net/http"

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
	top := func(resourceType string, put handler, del fabric.Async) {
		one := group + "/providers/" + resourceType + "/{name}"
		routes = append(routes,
			fabric.Route{Method: http.MethodGet, Pattern: sub + "/providers/" + resourceType, Action: resourceType + "/read", Partial: true, Handle: fabric.ListDocuments(resourceType)},
			fabric.Route{Method: http.MethodGet, Pattern: group + "/providers/" + resourceType, Action: resourceType + "/read", Partial: true, Handle: fabric.ListDocuments(resourceType)},
			fabric.Route{Method: http.MethodGet, Pattern: one, Action: resourceType + "/read", Handle: fabric.GetDocument},
			fabric.Route{Method: http.MethodPut, Pattern: one, Action: resourceType + "/write", Handle: put},
			fabric.Route{Method: http.MethodPatch, Pattern: one, Action: resourceType + "/write", Handle: patchTags},
			fabric.Route{Method: http.MethodDelete, Pattern: one, Action: resourceType + "/delete", Handle: fabric.RemoveDocument(del)})
	}
	child := func(parent, segment string, put handler) {
		full := parent + "/" + segment
		many := group + "/providers/" + parent + "/{parent}/" + segment
		routes = append(routes,
			fabric.Route{Method: http.MethodGet, Pattern: many, Action: full + "/read", Handle: fabric.ListDocuments(full)},
			fabric.Route{Method: http.MethodGet, Pattern: many + "/{name}", Action: full + "/read", Handle: fabric.GetDocument},
			fabric.Route{Method: http.MethodPut, Pattern: many + "/{name}", Action: full + "/write", Handle: put},
			fabric.Route{Method: http.MethodDelete, Pattern: many + "/{name}", Action: full + "/delete", Handle: fabric.RemoveDocument(deletion)})
	}
	top(TypeVNet, putVNet, deletion)
	top(TypeNSG, putNSG, deletion)
	top(TypePublicIP, putPublicIP, deletion)
	top(TypeInterface, putInterface, interfaceDeletion)
	child(TypeVNet, "subnets", putSubnet)
	child(TypeNSG, "securityRules", putRule)
	return append(routes,
		fabric.Route{Method: http.MethodGet, Pattern: group + "/providers/" + TypeNSG + "/{parent}/defaultSecurityRules", Action: TypeNSG + "/read", Handle: listDefaultRules},
		fabric.Route{Method: http.MethodGet, Pattern: sub + "/providers/Microsoft.Network/locations/{location}/usages", Action: "Microsoft.Network/locations/usages/read", Handle: usages})
}
