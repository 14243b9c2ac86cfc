package rbac

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

const typeAssignment = "Microsoft.Authorization/roleAssignments"

// Kinds are the resource types of this provider.
func Kinds() []*fabric.Kind {
	return []*fabric.Kind{
		{Type: typeDefinition},
		{Type: typeAssignment, Refs: func(d *fabric.Document) []fabric.Ref {
			return []fabric.Ref{
				{From: d.ID, To: principalKey(d.Body.Str("properties", "principalId"))},
				{From: d.ID, To: d.Body.Str("properties", "roleDefinitionId")},
			}
		}},
	}
}

// Routes are the operations of this provider.
func Routes() []fabric.Route {
	const def, asg = "{scope}/providers/" + typeDefinition, "{scope}/providers/" + typeAssignment
	return []fabric.Route{
		{Method: http.MethodGet, Pattern: def, Action: typeDefinition + "/read", Handle: listDefinitions},
		{Method: http.MethodGet, Pattern: def + "/{name}", Action: typeDefinition + "/read", Handle: getDefinition},
		{Method: http.MethodPut, Pattern: def + "/{name}", Action: typeDefinition + "/write", Handle: putDefinition},
		{Method: http.MethodDelete, Pattern: def + "/{name}", Action: typeDefinition + "/delete", Handle: deleteDefinition},
		{Method: http.MethodGet, Pattern: asg, Action: typeAssignment + "/read", Handle: listAssignments},
		{Method: http.MethodGet, Pattern: asg + "/{name}", Action: typeAssignment + "/read", Handle: getAssignment},
		{Method: http.MethodPut, Pattern: asg + "/{name}", Action: typeAssignment + "/write", Handle: putAssignment},
		{Method: http.MethodDelete, Pattern: asg + "/{name}", Action: typeAssignment + "/delete", Handle: deleteAssignment},
	}
}

// Grant assigns a role without a request, at once, for principals that the instance makes.
// A principal that has it keeps it.
func Grant(t *fabric.Tx, p arm.Principal, role, scope string) {
	for _, id := range t.Referrers(principalKey(p.ObjectID)) {
		if a := t.Peek(id); sameAssignment(a.Body, p.ObjectID, role, scope) {
			return
		}
	}
	name := uuid.NewString()
	props := doc.Object{"roleDefinitionId": definitionID(t.World().Subscription, role), "principalId": p.ObjectID, "principalType": "ServicePrincipal"}
	t.Put(&fabric.Document{ID: scope + "/providers/" + typeAssignment + "/" + name, Body: assignmentBody(t, scope, name, p, props)})
}

// ForgetScope removes the assignments at and below a scope that is gone.
func ForgetScope(t *fabric.Tx, scope string) {
	for _, a := range t.List(typeAssignment, scope) {
		t.Delete(a.ID)
	}
}

func putAssignment(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	scope, name, props := r.Params["scope"], r.Params["name"], r.Body.Obj("properties")
	if uuid.Validate(name) != nil {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidRoleAssignmentId",
			"The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", name)
	}
	principal, guid := props.Str("principalId"), arm.Name(props.Str("roleDefinitionId"))
	if uuid.Validate(principal) != nil {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidPrincipalId", "The Principal ID '%s' is not valid. Principal ID must be a GUID.", principal)
	}
	if definition(t, guid) == nil {
		return nil, arm.Errorf(http.StatusNotFound, "RoleDefinitionDoesNotExist",
			"The specified role definition with ID '%s' does not exist.", strings.ReplaceAll(guid, "-", ""))
	}
	if old := t.Peek(r.ID); old != nil {
		if !sameAssignment(old.Body, principal, guid, scope) {
			return nil, arm.Errorf(http.StatusBadRequest, "RoleAssignmentUpdateNotPermitted",
				"Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
		}
		return arm.OK(old.Body), nil
	}
	for _, id := range t.Referrers(principalKey(principal)) {
		if a := t.Peek(id); sameAssignment(a.Body, principal, guid, scope) {
			return nil, arm.Errorf(http.StatusConflict, "RoleAssignmentExists",
				"The role assignment already exists. The ID of the conflicting role assignment is %s.", strings.ReplaceAll(a.Body.Str("name"), "-", ""))
		}
	}
	if err := checkPrincipal(t, principal, props.Str("principalType")); err != nil {
		return nil, err
	}
	props.Default("ServicePrincipal", "principalType")
	props.Set(definitionID(t.World().Subscription, guid), "roleDefinitionId")
	body := assignmentBody(t, scope, name, r.Principal, props)
	t.Put(&fabric.Document{ID: r.ID, Body: body, Hidden: doc.Object{"made": t.World().Now().Format(time.RFC3339Nano)}})
	return arm.Reply(http.StatusCreated, body), nil
}

// checkPrincipal looks a principal up in the directory. With a principalType ARM trusts
// the caller, for a new identity may not be replicated yet.
func checkPrincipal(t *fabric.Tx, id, kind string) error {
	if kind != "" || len(t.Referrers(IdentityKey(id))) > 0 || len(t.Referrers(principalKey(id))) > 0 {
		return nil
	}
	return arm.Errorf(http.StatusBadRequest, "PrincipalNotFound",
		"Principal %s does not exist in the directory %s. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
		strings.ReplaceAll(id, "-", ""), t.World().Tenant)
}

func assignmentBody(t *fabric.Tx, scope, name string, by arm.Principal, props doc.Object) doc.Object {
	now := fabric.Timestamp(t.World().Now())
	return doc.Object{"id": scope + "/providers/" + typeAssignment + "/" + name, "name": name, "type": typeAssignment, "properties": doc.Object{
		"roleDefinitionId": props.Str("roleDefinitionId"), "principalId": props.Str("principalId"), "principalType": props.Str("principalType"),
		"scope": scope, "condition": props.Get("condition"), "conditionVersion": props.Get("conditionVersion"),
		"createdOn": now, "updatedOn": now, "createdBy": by.ObjectID, "updatedBy": by.ObjectID,
		"delegatedManagedIdentityResourceId": nil, "description": props.Get("description"),
	}}
}

func sameAssignment(body doc.Object, principal, guid, scope string) bool {
	return strings.EqualFold(body.Str("properties", "principalId"), principal) &&
		strings.EqualFold(arm.Name(body.Str("properties", "roleDefinitionId")), guid) &&
		arm.Key(body.Str("properties", "scope")) == arm.Key(scope)
}

func getAssignment(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if d := t.Peek(r.ID); d != nil {
		return arm.OK(d.Body), nil
	}
	return nil, arm.Errorf(http.StatusNotFound, "RoleAssignmentNotFound", "The role assignment '%s' is not found.", r.Params["name"])
}

func deleteAssignment(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Peek(r.ID)
	if d == nil {
		return arm.Reply(http.StatusNoContent, nil), nil
	}
	t.Delete(r.ID)
	return arm.OK(d.Body), nil
}

var assignedTo = regexp.MustCompile(`(?i)assignedTo\(\s*'([^']*)'\s*\)`)

// listAssignments answers those at, above and below the scope; $filter narrows it.
func listAssignments(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	scope, filter := r.Params["scope"], r.Query.Get("$filter")
	principal, byPrincipal := equals(filter, "principalId")
	if m := assignedTo.FindStringSubmatch(filter); m != nil {
		principal, byPrincipal = m[1], true
	}
	above := strings.Contains(strings.ToLower(filter), "atscope()")
	rows := []doc.Object{}
	for _, a := range t.List(typeAssignment, "") {
		at := a.Body.Str("properties", "scope")
		if !arm.Within(scope, at) && (above || !arm.Within(at, scope)) {
			continue
		}
		if byPrincipal && !strings.EqualFold(principal, a.Body.Str("properties", "principalId")) {
			continue
		}
		rows = append(rows, a.Body)
	}
	return arm.OK(doc.Object{"value": rows}), nil
}
