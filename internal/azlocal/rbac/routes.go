package rbac

import (
	"net/http"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

const typePermissions = "Microsoft.Authorization/permissions"

// Directory knows the service principals of the tenant that are no machine's identity.
type Directory interface {
	// Since is when a service principal was made; ok is false for an unknown object id.
	Since(objectID string) (made time.Time, ok bool)
}

// Provider is Microsoft.Authorization.
type Provider struct{ Directory Directory }

// Kinds are the resource types of this provider.
func Kinds() []*fabric.Kind {
	return []*fabric.Kind{
		{Type: typeDefinition, Counts: one(limitDefinitions)},
		{Type: TypeAssignment, Counts: one(limitAssignments), Refs: func(d *fabric.Document) []fabric.Ref {
			return []fabric.Ref{
				{From: d.ID, To: principalKey(d.Body.Str("properties", "principalId"))},
				{From: d.ID, To: d.Body.Str("properties", "roleDefinitionId")},
				{From: d.ID, To: assignmentKey(arm.Name(d.ID))},
			}
		}},
		{Type: typeRemoved, Refs: func(d *fabric.Document) []fabric.Ref {
			return []fabric.Ref{{From: d.ID, To: principalKey(d.Body.Str("properties", "principalId"))}}
		}},
		{Type: typeDeny, Refs: denyRefs},
	}
}

const (
	limitAssignments = "roleAssignments"
	limitDefinitions = "customRoles"
)

func one(name string) func(*fabric.Document) []fabric.Count {
	return func(*fabric.Document) []fabric.Count { return []fabric.Count{{Name: name, N: 1}} }
}

// full tells whether the subscription has as many of something as it may have.
func full(t *fabric.Tx, name string) bool { return t.Count(name) >= t.World().Settings.Limit(name, "") }

// Limits are what a subscription may have at most (documentation: role-based-access-control/
// troubleshoot-limits).
func Limits() map[string]int {
	return map[string]int{limitAssignments: 4000, limitDefinitions: 5000}
}

// Routes are the operations of this provider.
func (p *Provider) Routes() []fabric.Route {
	const scoped = "{scope}/providers/"
	route := func(method, resourceType, more, verb string, h func(*fabric.Tx, *arm.Request) (*arm.Response, error)) fabric.Route {
		return fabric.Route{Method: method, Pattern: scoped + resourceType + more, Action: resourceType + "/" + verb, Handle: h}
	}
	return []fabric.Route{
		route(http.MethodGet, typeDefinition, "", "read", listDefinitions),
		route(http.MethodGet, typeDefinition, "/{name}", "read", getDefinition),
		route(http.MethodPut, typeDefinition, "/{name}", "write", putDefinition),
		route(http.MethodDelete, typeDefinition, "/{name}", "delete", deleteDefinition),
		route(http.MethodGet, TypeAssignment, "", "read", listAssignments),
		route(http.MethodGet, TypeAssignment, "/{name}", "read", getAssignment),
		route(http.MethodPut, TypeAssignment, "/{name}", "write", p.putAssignment),
		route(http.MethodDelete, TypeAssignment, "/{name}", "delete", deleteAssignment),
		route(http.MethodGet, typeDeny, "", "read", listDenials),
		route(http.MethodGet, typeDeny, "/{name}", "read", getDenial),
		route(http.MethodGet, "Microsoft.Authorization/classicAdministrators", "", "read", nobody),
		{Method: http.MethodGet, Pattern: scoped + typePermissions, Handle: listPermissions},
	}
}

// nobody is the list of classic administrators, whom no new subscription has.
func nobody(*fabric.Tx, *arm.Request) (*arm.Response, error) {
	return arm.OK(doc.Object{"value": []any{}}), nil
}

// listPermissions answers what the caller may do at a scope, role by role.
func listPermissions(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	for _, a := range effective(t, r.Principal) {
		if arm.Within(r.Params["scope"], a.Body.Str("properties", "scope")) {
			role := definition(t, arm.Name(a.Body.Str("properties", "roleDefinitionId")))
			rows = append(rows, role.List("properties", "permissions")...)
		}
	}
	return arm.OK(doc.Object{"value": rows}), nil
}
