package resources

import (
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/rbac"
)

// Register adds the types and jobs of ARM itself.
func Register(w *fabric.World) {
	w.Register(&fabric.Kind{Type: arm.TypeGroup})
	w.Handle(jobDeleteGroup, groupJob(w))
}

// Routes are the operations of ARM itself.
func Routes() []fabric.Route {
	const (
		sub    = "/subscriptions/{sub}"
		group  = sub + "/resourceGroups/{group}"
		prov   = sub + "/providers/{namespace}"
		tags   = "{scope}/providers/Microsoft.Resources/tags/default"
		names  = sub + "/tagNames"
		groups = "Microsoft.Resources/subscriptions/resourceGroups"
	)
	return append(registrations(), []fabric.Route{
		{Method: http.MethodGet, Pattern: "/tenants", Handle: listTenants},
		{Method: http.MethodGet, Pattern: "/subscriptions", Handle: listSubscriptions(rbac.Can, rbac.CanBelow)},
		{Method: http.MethodGet, Pattern: sub, Action: "Microsoft.Resources/subscriptions/read", Partial: true, Handle: getSubscription},
		{Method: http.MethodGet, Pattern: sub + "|/locations", Action: "Microsoft.Resources/subscriptions/locations/read", Partial: true, Handle: listLocations},
		{Method: http.MethodGet, Pattern: sub + "/providers", Action: "Microsoft.Resources/subscriptions/providers/read", Partial: true, Handle: listProviders},
		{Method: http.MethodGet, Pattern: prov, Action: "Microsoft.Resources/subscriptions/providers/read", Partial: true, Handle: getProvider},
		{Method: http.MethodPost, Pattern: prov + "|/register", Handle: noRegistration},
		{Method: http.MethodPost, Pattern: prov + "|/unregister", Handle: noRegistration},

		{Method: http.MethodGet, Pattern: sub + "/resourceGroups", Action: groups + "/read", Partial: true, Handle: listGroups},
		{Method: http.MethodHead, Pattern: group, Action: groups + "/read", Handle: headGroup},
		{Method: http.MethodGet, Pattern: group, Action: groups + "/read", Handle: getGroup},
		{Method: http.MethodPut, Pattern: group, Action: groups + "/write", Handle: putGroup},
		{Method: http.MethodPatch, Pattern: group, Action: groups + "/write", Handle: patchGroup},
		{Method: http.MethodDelete, Pattern: group, Action: groups + "/delete", Handle: deleteGroup},
		{Method: http.MethodGet, Pattern: group + "|/resources", Action: groups + "/resources/read", Handle: listResources},
		{Method: http.MethodGet, Pattern: sub + "|/resources", Action: "Microsoft.Resources/subscriptions/resources/read", Partial: true, Handle: listResources},

		{Method: http.MethodGet, Pattern: "/providers", Handle: listTenantProviders},
		{Method: http.MethodGet, Pattern: "/providers/{namespace}", Handle: getTenantProvider},
		{Method: http.MethodGet, Pattern: prov + "|/resourceTypes", Action: "Microsoft.Resources/subscriptions/providers/read", Partial: true, Handle: listTypes},

		{Method: http.MethodGet, Pattern: names, Action: "Microsoft.Resources/subscriptions/tagNames/read", Handle: listTagNames},
		{Method: http.MethodPut, Pattern: names + "/{tag}", Action: "Microsoft.Resources/subscriptions/tagNames/write", Handle: putTagName},
		{Method: http.MethodDelete, Pattern: names + "/{tag}", Action: "Microsoft.Resources/subscriptions/tagNames/delete", Handle: deleteTagName},
		{Method: http.MethodPut, Pattern: names + "/{tag}/tagValues/{value}", Action: "Microsoft.Resources/subscriptions/tagNames/tagValues/write", Handle: putTagValue},
		{Method: http.MethodDelete, Pattern: names + "/{tag}/tagValues/{value}", Action: "Microsoft.Resources/subscriptions/tagNames/tagValues/delete", Handle: deleteTagValue},

		{Method: http.MethodGet, Pattern: tags, Action: "Microsoft.Resources/tags/read", Handle: getTags},
		{Method: http.MethodPut, Pattern: tags, Action: "Microsoft.Resources/tags/write", Handle: putTags},
		{Method: http.MethodPatch, Pattern: tags, Action: "Microsoft.Resources/tags/write", Handle: patchTags},
		{Method: http.MethodDelete, Pattern: tags, Action: "Microsoft.Resources/tags/write", Handle: deleteTags},
	}...)
}

// registrations are the registering and unregistering of each provider, an action of the
// provider itself (documentation: permissions reference, "Registers the subscription").
func registrations() []fabric.Route {
	var out []fabric.Route
	for _, n := range Namespaces() {
		at := "/subscriptions/{sub}/providers/" + n.Name
		out = append(out,
			fabric.Route{Method: http.MethodPost, Pattern: at + "|/register", Action: n.Name + "/register/action", Handle: setRegistration(n, "Registering")},
			fabric.Route{Method: http.MethodPost, Pattern: at + "|/unregister", Action: n.Name + "/unregister/action", Handle: setRegistration(n, "Unregistering")})
	}
	return out
}
