package rbac

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

const typeDefinition = "Microsoft.Authorization/roleDefinitions"

// Longest name and description of a role (documentation: custom-roles).
const (
	maxRoleName    = 512
	maxDescription = 2048
)

func putDefinition(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	guid, props := r.Params["name"], r.Body.Obj("properties")
	if err := checkDefinition(r, guid, props); err != nil {
		return nil, err
	}
	name, id := props.Str("roleName"), definitionID(t.World().Subscription, guid)
	for _, d := range definitions(t) {
		if strings.EqualFold(d.Str("properties", "roleName"), name) && !strings.EqualFold(d.Str("name"), guid) {
			return nil, arm.Errorf(http.StatusConflict, "RoleDefinitionWithSameNameExists",
				"A role definition cannot be updated with a name that already exists.")
		}
	}
	old := t.Peek(id)
	if old == nil && full(t, limitDefinitions) {
		return nil, arm.Errorf(http.StatusBadRequest, "RoleDefinitionLimitExceeded", "Role definition limit exceeded. No more role definitions can be created.")
	}
	now := fabric.Timestamp(t.World().Now())
	body := doc.Object{"id": id, "name": guid, "type": typeDefinition, "properties": doc.Object{
		"roleName": name, "description": props.Str("description"), "type": "CustomRole",
		"permissions": permissions(props), "assignableScopes": props["assignableScopes"],
		"createdOn": now, "updatedOn": now, "createdBy": r.Principal.ObjectID, "updatedBy": r.Principal.ObjectID,
	}}
	if old != nil {
		body.Set(old.Body.Str("properties", "createdOn"), "properties", "createdOn")
		body.Set(old.Body.Str("properties", "createdBy"), "properties", "createdBy")
	}
	t.Put(&fabric.Document{ID: id, Body: body})
	return arm.Reply(http.StatusCreated, definitionIn(body, r.Params["scope"], r.APIVersion)), nil
}

func checkDefinition(r *arm.Request, guid string, props doc.Object) error {
	bad := func(code, format string, args ...any) error {
		return arm.Errorf(http.StatusBadRequest, code, format, args...)
	}
	scopes := props.Strings("assignableScopes")
	_, reserved := findBuiltin(guid)
	switch name := props.Str("roleName"); {
	case uuid.Validate(guid) != nil:
		return bad("InvalidRoleDefinitionId", "The role definition ID '%s' is not valid. The role definition ID must be a GUID.", guid)
	case reserved:
		return bad("RoleDefinitionUpdateNotPermitted", "The built-in role '%s' cannot be updated.", guid)
	case name == "" || len(name) > maxRoleName:
		return bad("InvalidRoleDefinition", "A role definition needs a roleName of at most %d characters.", maxRoleName)
	case len(props.Str("description")) > maxDescription:
		return bad("InvalidRoleDefinition", "The description of a role definition has at most %d characters.", maxDescription)
	case len(scopes) == 0:
		return bad("InvalidRoleDefinition", "A role definition needs at least one assignable scope.")
	}
	here := false
	for _, s := range scopes {
		if p := arm.ParseID(s); p.Subscription == "" || p.Namespace != "" {
			return bad("InvalidAssignableScope", "The assignable scope '%s' is not valid: it is a subscription or a resource group.", s)
		}
		here = here || arm.Within(r.Params["scope"], s) || arm.Within(s, r.Params["scope"])
	}
	if !here {
		return bad("InvalidAssignableScope", "The role definition's assignable scopes do not contain the scope '%s' of the request.", r.Params["scope"])
	}
	return nil
}

func permissions(props doc.Object) []any {
	out := []any{}
	for _, p := range props.List("permissions") {
		full := doc.Object{}
		for _, key := range []string{"actions", "notActions", "dataActions", "notDataActions"} {
			full[key] = list(p.Strings(key))
		}
		out = append(out, full)
	}
	return out
}

// assignable tells whether a role can be assigned at a scope.
func assignable(role doc.Object, scope string) bool {
	for _, s := range role.Strings("properties", "assignableScopes") {
		if arm.Within(scope, strings.TrimRight(s, "/")) {
			return true
		}
	}
	return false
}

func getDefinition(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if body := definition(t, r.Params["name"]); body != nil {
		return arm.OK(definitionIn(body, r.Params["scope"], r.APIVersion)), nil
	}
	return nil, arm.Errorf(http.StatusNotFound, "RoleDefinitionDoesNotExist",
		"The specified role definition with ID '%s' does not exist.", bare(r.Params["name"]))
}

func deleteDefinition(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	id := definitionID(t.World().Subscription, r.Params["name"])
	if _, reserved := findBuiltin(r.Params["name"]); reserved {
		return nil, arm.Errorf(http.StatusBadRequest, "RoleDefinitionUpdateNotPermitted", "The built-in role '%s' cannot be deleted.", r.Params["name"])
	}
	d := t.Peek(id)
	if d == nil {
		return arm.Reply(http.StatusNoContent, nil), nil
	}
	if len(t.Referrers(id)) > 0 {
		return nil, arm.Errorf(http.StatusBadRequest, "RoleDefinitionHasAssignments",
			"There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)")
	}
	t.Delete(id)
	return arm.OK(definitionIn(d.Body, r.Params["scope"], r.APIVersion)), nil
}

// listDefinitions answers the roles that can be assigned at the scope; with atScopeAndBelow()
// those of scopes below as well.
func listDefinitions(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	filter, scope := r.Query.Get("$filter"), r.Params["scope"]
	below := strings.Contains(strings.ToLower(filter), "atscopeandbelow()")
	rows := []doc.Object{}
	for _, d := range definitions(t) {
		if !assignable(d, scope) && !(below && assignableBelow(d, scope)) {
			continue
		}
		if want, ok := equals(filter, "roleName"); ok && !strings.EqualFold(want, d.Str("properties", "roleName")) {
			continue
		}
		if want, ok := equals(filter, "type"); ok && !strings.EqualFold(want, d.Str("properties", "type")) {
			continue
		}
		rows = append(rows, definitionIn(d, scope, r.APIVersion))
	}
	return arm.List(r, rows), nil
}

func assignableBelow(role doc.Object, scope string) bool {
	for _, s := range role.Strings("properties", "assignableScopes") {
		if arm.Within(s, scope) {
			return true
		}
	}
	return false
}

func definitions(t *fabric.Tx) []doc.Object {
	subscription := t.World().Subscription
	var out []doc.Object
	for _, b := range builtins() {
		out = append(out, b.body(subscription))
	}
	for _, d := range t.List(typeDefinition, "") {
		out = append(out, d.Body)
	}
	return out
}
