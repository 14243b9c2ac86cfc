package rbac

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

const typeDefinition = "Microsoft.Authorization/roleDefinitions"

func putDefinition(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	guid, props := r.Params["name"], r.Body.Obj("properties")
	if uuid.Validate(guid) != nil {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidRoleDefinitionId",
			"The role definition ID '%s' is not valid. The role definition ID must be a GUID.", guid)
	}
	name := props.Str("roleName")
	if name == "" || len(name) > 512 || len(props.Strings("assignableScopes")) == 0 {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidRoleDefinition",
			"A role definition needs a roleName of at most 512 characters and at least one assignable scope.")
	}
	for _, d := range definitions(t) {
		if strings.EqualFold(d.Str("properties", "roleName"), name) && !strings.EqualFold(d.Str("name"), guid) {
			return nil, arm.Errorf(http.StatusConflict, "RoleDefinitionWithSameNameExists",
				"A role definition cannot be updated with a name that already exists.")
		}
	}
	id := definitionID(t.World().Subscription, guid)
	now := fabric.Timestamp(t.World().Now())
	body := doc.Object{"id": id, "name": guid, "type": typeDefinition, "properties": doc.Object{
		"roleName": name, "description": props.Str("description"), "type": "CustomRole",
		"permissions": permissions(props), "assignableScopes": props["assignableScopes"],
		"createdOn": now, "updatedOn": now, "createdBy": r.Principal.ObjectID, "updatedBy": r.Principal.ObjectID,
	}}
	if old := t.Peek(id); old != nil {
		body.Set(old.Body.Str("properties", "createdOn"), "properties", "createdOn")
		body.Set(old.Body.Str("properties", "createdBy"), "properties", "createdBy")
	}
	t.Put(&fabric.Document{ID: id, Body: body})
	return arm.Reply(http.StatusCreated, body), nil
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

func getDefinition(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if body := definition(t, r.Params["name"]); body != nil {
		return arm.OK(body), nil
	}
	return nil, arm.Errorf(http.StatusNotFound, "RoleDefinitionDoesNotExist",
		"The specified role definition with ID '%s' does not exist.", r.Params["name"])
}

func deleteDefinition(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	id := definitionID(t.World().Subscription, r.Params["name"])
	d := t.Peek(id)
	if d == nil {
		return arm.Reply(http.StatusNoContent, nil), nil
	}
	if len(t.Referrers(id)) > 0 {
		return nil, arm.Errorf(http.StatusBadRequest, "RoleDefinitionHasAssignments",
			"There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)")
	}
	t.Delete(id)
	return arm.OK(d.Body), nil
}

func listDefinitions(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	filter := r.Query.Get("$filter")
	rows := []doc.Object{}
	for _, d := range definitions(t) {
		if want, ok := equals(filter, "roleName"); ok && !strings.EqualFold(want, d.Str("properties", "roleName")) {
			continue
		}
		if want, ok := equals(filter, "type"); ok && !strings.EqualFold(want, d.Str("properties", "type")) {
			continue
		}
		rows = append(rows, d)
	}
	return arm.OK(doc.Object{"value": rows}), nil
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

// FindRole returns the GUID of a role by its name or GUID, "" when there is none.
func FindRole(t *fabric.Tx, nameOrGUID string) string {
	for _, d := range definitions(t) {
		if strings.EqualFold(d.Str("properties", "roleName"), nameOrGUID) || strings.EqualFold(d.Str("name"), nameOrGUID) {
			return d.Str("name")
		}
	}
	return ""
}

// equals finds "name eq 'value'" in an OData filter; two quotes stand for one.
func equals(filter, name string) (value string, ok bool) {
	m := regexp.MustCompile(`(?i)\b` + name + `\s+eq\s+'((?:[^']|'')*)'`).FindStringSubmatch(filter)
	if m == nil {
		return "", false
	}
	return strings.ReplaceAll(m[1], "''", "'"), true
}
