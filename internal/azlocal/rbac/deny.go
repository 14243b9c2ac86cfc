package rbac

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

const typeDeny = "Microsoft.Authorization/denyAssignments"

func denyKey(objectID string) string { return "denied:" + strings.ToLower(objectID) }

// Deny adds a deny assignment, which no request can make: on Azure only the platform does.
func Deny(t *fabric.Tx, objectID, scope string, actions []string) {
	name := uuid.NewString()
	id := scope + "/providers/" + typeDeny + "/" + name
	t.Put(&fabric.Document{ID: id, Body: doc.Object{"id": id, "name": name, "type": typeDeny, "properties": doc.Object{
		"denyAssignmentName": "Deny assignment '" + name + "' made by the local Azure", "description": nil,
		"permissions": []any{doc.Object{"actions": list(actions), "notActions": []any{}, "dataActions": []any{}, "notDataActions": []any{}}},
		"scope":       scope, "doNotApplyToChildScopes": false, "isSystemProtected": true,
		"principals": []any{doc.Object{"id": objectID, "type": "ServicePrincipal"}}, "excludePrincipals": []any{},
	}}})
}

// Undeny removes the deny assignments of a principal and tells how many there were.
func Undeny(t *fabric.Tx, objectID string) int {
	ids := t.Referrers(denyKey(objectID))
	for _, id := range ids {
		t.Delete(id)
	}
	return len(ids)
}

// Denied lists the deny assignments of a principal.
func Denied(t *fabric.Tx, objectID string) []*fabric.Document {
	var out []*fabric.Document
	for _, id := range t.Referrers(denyKey(objectID)) {
		out = append(out, t.Peek(id))
	}
	return out
}

// deniedBy returns the deny assignment that keeps p from action at scope, nil without one.
func deniedBy(t *fabric.Tx, p arm.Principal, action, scope string) *fabric.Document {
	for _, d := range Denied(t, p.ObjectID) {
		if !arm.Within(scope, d.Body.Str("properties", "scope")) {
			continue
		}
		for _, denied := range permissionList(d.Body) {
			if denied.covers(action) {
				return d
			}
		}
	}
	return nil
}

func denyRefs(d *fabric.Document) []fabric.Ref {
	var out []fabric.Ref
	for _, p := range d.Body.List("properties", "principals") {
		out = append(out, fabric.Ref{From: d.ID, To: denyKey(p.Str("id"))})
	}
	return out
}

func listDenials(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	filter := parseFilter(r.Query.Get("$filter"))
	rows := []doc.Object{}
	for _, d := range t.List(typeDeny, "") {
		if !filter.reaches(r.Params["scope"], d.Body.Str("properties", "scope")) || filter.denyName != "" && filter.denyName != d.Body.Str("properties", "denyAssignmentName") {
			continue
		}
		if filter.byPrincipal && !strings.EqualFold(filter.principal, d.Body.List("properties", "principals")[0].Str("id")) {
			continue
		}
		rows = append(rows, d.Body)
	}
	return arm.OK(doc.Object{"value": rows}), nil
}

func getDenial(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if d := t.Peek(r.ID); d != nil {
		return arm.OK(d.Body), nil
	}
	return nil, arm.Errorf(http.StatusNotFound, "DenyAssignmentNotFound", "The deny assignment '%s' is not found.", r.Params["name"])
}
