package rbac

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// typeRemoved holds assignments that are gone and still count for a while. No request
// reaches it.
const typeRemoved = "Local.Authorization/removedAssignments"

func isRemoved(a *fabric.Document) bool { return a.Hidden.Str("removed") != "" }

// Assignment is a role that a principal has.
type Assignment struct {
	Role  string `json:"role"` // its name
	Scope string `json:"scope"`
}

// Grant assigns a role without a request, at once, for principals that the instance makes.
// A principal that has it keeps it.
func Grant(t *fabric.Tx, p arm.Principal, role, scope string) {
	if find := assigned(t, p.ObjectID, role, scope); len(find) > 0 {
		return
	}
	name := uuid.NewString()
	props := doc.Object{"roleDefinitionId": definitionID(t.World().Subscription, role), "principalId": p.ObjectID, "principalType": "ServicePrincipal"}
	t.Put(&fabric.Document{ID: scope + "/providers/" + TypeAssignment + "/" + name, Body: assignmentBody(t, scope, name, p, props)})
}

// Withdraw takes a role at a scope from a principal and tells whether it had it. It still
// counts for as long as the setting says.
func Withdraw(t *fabric.Tx, objectID, role, scope string) bool {
	found := assigned(t, objectID, role, scope)
	for _, a := range found {
		remove(t, a)
	}
	return len(found) > 0
}

func assigned(t *fabric.Tx, objectID, role, scope string) []*fabric.Document {
	var out []*fabric.Document
	for _, id := range t.Referrers(principalKey(objectID)) {
		if a := t.Get(id); !isRemoved(a) && sameAssignment(a.Body, objectID, role, scope) {
			out = append(out, a)
		}
	}
	return out
}

// Assignments lists the roles of a principal.
func Assignments(t *fabric.Tx, objectID string) []Assignment {
	out := []Assignment{}
	for _, id := range t.Referrers(principalKey(objectID)) {
		if a := t.Peek(id); !isRemoved(a) {
			role := definition(t, arm.Name(a.Body.Str("properties", "roleDefinitionId")))
			out = append(out, Assignment{role.Str("properties", "roleName"), a.Body.Str("properties", "scope")})
		}
	}
	return out
}

// FindRole returns the GUID of a role by its name or GUID, "" when there is none.
func FindRole(t *fabric.Tx, nameOrGUID string) string {
	for _, d := range definitions(t) {
		if strings.EqualFold(d.Str("properties", "roleName"), nameOrGUID) || strings.EqualFold(d.Str("name"), nameOrGUID) {
			return d.Str("name")
		}
	}
	return ""
}

// ForgetScope removes the assignments at and below a scope that is gone.
func ForgetScope(t *fabric.Tx, scope string) {
	for _, a := range t.List(TypeAssignment, scope) {
		t.Delete(a.ID)
	}
}

// remove deletes an assignment, and keeps what it allows until Azure would have heard.
func remove(t *fabric.Tx, d *fabric.Document) {
	t.Delete(d.ID)
	for _, old := range t.List(typeRemoved, "") {
		if since(t, old, "removed") >= t.World().Settings.Time(fabric.RoleRemoval) {
			t.Delete(old.ID)
		}
	}
	if t.World().Settings.Time(fabric.RoleRemoval) == 0 {
		return
	}
	hidden := d.Hidden.Clone()
	if hidden == nil {
		hidden = doc.Object{}
	}
	hidden["removed"] = t.World().Now().Format(time.RFC3339Nano)
	t.Put(&fabric.Document{ID: "/providers/" + typeRemoved + "/" + uuid.NewString(), Body: d.Body, Hidden: hidden})
}
