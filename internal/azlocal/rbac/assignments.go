package rbac

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// TypeAssignment is the type of role assignments.
const TypeAssignment = "Microsoft.Authorization/roleAssignments"

// assignmentKey finds an assignment by its name, which is unique wherever it is made.
func assignmentKey(name string) string { return "assignment:" + strings.ToLower(name) }

func (p *Provider) putAssignment(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	scope, name, props := r.Params["scope"], r.Params["name"], r.Body.Obj("properties").Clone()
	if r.APIVersion < versionWithType {
		props.Drop("principalType")
	}
	if err := checkAssignment(t, r, props); err != nil {
		return nil, err
	}
	principal, guid := props.Str("principalId"), arm.Name(props.Str("roleDefinitionId"))
	if users := t.Referrers(assignmentKey(name)); len(users) > 0 {
		return updateAssignment(t, r, t.Get(users[0]), props)
	}
	for _, id := range t.Referrers(principalKey(principal)) {
		if a := t.Peek(id); !isRemoved(a) && sameAssignment(a.Body, principal, guid, scope) {
			return nil, arm.Errorf(http.StatusConflict, "RoleAssignmentExists",
				"The role assignment already exists. The ID of the conflicting role assignment is %s.", bare(a.Body.Str("name")))
		}
	}
	if err := p.checkPrincipal(t, principal, props.Str("principalType")); err != nil {
		return nil, err
	}
	if full(t, limitAssignments) {
		return nil, arm.Errorf(http.StatusBadRequest, "RoleAssignmentLimitExceeded", "The role assignment limit for the subscription is reached: no more role assignments can be created.")
	}
	props.Default("ServicePrincipal", "principalType")
	props.Set(definitionID(t.World().Subscription, guid), "roleDefinitionId")
	body := assignmentBody(t, scope, name, r.Principal, props)
	t.Put(&fabric.Document{ID: r.ID, Body: body, Hidden: doc.Object{"made": t.World().Now().Format(time.RFC3339Nano)}})
	return arm.Reply(http.StatusCreated, assignmentIn(body, r.APIVersion)), nil
}

// checkAssignment refuses what is wrong whoever it is about.
func checkAssignment(t *fabric.Tx, r *arm.Request, props doc.Object) error {
	bad := func(code, format string, args ...any) error {
		return arm.Errorf(http.StatusBadRequest, code, format, args...)
	}
	name, principal, kind := r.Params["name"], props.Str("principalId"), props.Str("principalType")
	guid := arm.Name(props.Str("roleDefinitionId"))
	switch {
	case uuid.Validate(name) != nil:
		return bad("InvalidRoleAssignmentId", "The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", name)
	case uuid.Validate(principal) != nil:
		return bad("InvalidPrincipalId", "The Principal ID '%s' is not valid. Principal ID must be a GUID.", principal)
	case kind != "" && kind != "ServicePrincipal" && kind != "User" && kind != "Group" && kind != "ForeignGroup" && kind != "Device":
		return bad("InvalidPrincipalType", "The PrincipalType property '%s' is not valid. It must be 'User', 'Group' or 'ServicePrincipal'.", kind)
	}
	for _, key := range changeable() {
		switch props[key].(type) {
		case nil, string:
		default:
			return bad("BadRequestFormat", "The request was incorrectly formatted: the property '%s' is not a string.", key)
		}
	}
	if text := props.Str("condition"); text != "" {
		if _, err := parseCondition(text); err != nil {
			return bad("InvalidRoleAssignmentCondition", "The condition is not valid: %v.", err)
		}
	}
	if role := definition(t, guid); role == nil || !assignable(role, r.Params["scope"]) {
		return arm.Errorf(http.StatusNotFound, "RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", bare(guid))
	}
	return nil
}

// changeable are the properties that a second PUT may change. All are strings.
func changeable() []string { return []string{"description", "condition", "conditionVersion"} }

// updateAssignment is a PUT with the name of an assignment that exists, here or elsewhere.
func updateAssignment(t *fabric.Tx, r *arm.Request, old *fabric.Document, props doc.Object) (*arm.Response, error) {
	if !sameAssignment(old.Body, props.Str("principalId"), arm.Name(props.Str("roleDefinitionId")), r.Params["scope"]) {
		return nil, arm.Errorf(http.StatusBadRequest, "RoleAssignmentUpdateNotPermitted",
			"Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
	}
	changed := false
	for _, key := range changeable() {
		if v, given := props[key]; given && v != old.Body.Get("properties", key) {
			old.Body.Set(v, "properties", key)
			changed = true
		}
	}
	if changed {
		old.Body.Set(fabric.Timestamp(t.World().Now()), "properties", "updatedOn")
		old.Body.Set(r.Principal.ObjectID, "properties", "updatedBy")
		t.Put(old)
	}
	return arm.OK(assignmentIn(old.Body, r.APIVersion)), nil
}

// checkPrincipal looks a principal up in the directory, where a new one shows after a
// while. With a principalType ARM does not look for those.
func (p *Provider) checkPrincipal(t *fabric.Tx, id, kind string) error {
	w := t.World()
	since, known := p.since(t, id)
	replicated := known && w.Now().Sub(since) >= w.Settings.Time(fabric.DirectoryReplication)
	switch {
	case replicated && kind != "" && kind != "ServicePrincipal":
		return arm.Errorf(http.StatusBadRequest, "UnmatchedPrincipalType",
			"The PrincipalId '%s' has type 'ServicePrincipal' , which is different from specified PrinciaplType '%s'.", bare(id), kind)
	case replicated, kind != "" && w.Switches.Is(fabric.AssignmentBeforeReplication, "accepted"):
		return nil
	}
	return arm.Errorf(http.StatusBadRequest, "PrincipalNotFound",
		"Principal %s does not exist in the directory %s. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
		bare(id), w.Tenant)
}

// since is when a principal was made: a service principal, or a machine's identity.
func (p *Provider) since(t *fabric.Tx, id string) (time.Time, bool) {
	if since, ok := p.Directory.Since(id); ok {
		return since, true
	}
	machines := t.Referrers(IdentityKey(id))
	if len(machines) == 0 {
		return time.Time{}, false
	}
	made, _ := time.Parse(time.RFC3339Nano, t.Peek(machines[0]).Body.Str("properties", "timeCreated")) // without a time: long ago
	return made, true
}

func sameAssignment(body doc.Object, principal, guid, scope string) bool {
	return strings.EqualFold(body.Str("properties", "principalId"), principal) &&
		strings.EqualFold(arm.Name(body.Str("properties", "roleDefinitionId")), guid) &&
		arm.Key(body.Str("properties", "scope")) == arm.Key(scope)
}

func getAssignment(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if d := t.Peek(r.ID); d != nil {
		return arm.OK(assignmentIn(d.Body, r.APIVersion)), nil
	}
	return nil, arm.Errorf(http.StatusNotFound, "RoleAssignmentNotFound", "The role assignment '%s' is not found.", r.Params["name"])
}

func deleteAssignment(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Get(r.ID)
	if d == nil {
		return arm.Reply(http.StatusNoContent, nil), nil
	}
	remove(t, d)
	return arm.OK(assignmentIn(d.Body, r.APIVersion)), nil
}

func listAssignments(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	filter := parseFilter(r.Query.Get("$filter"))
	rows := []doc.Object{}
	for _, a := range t.List(TypeAssignment, "") {
		if !filter.reaches(r.Params["scope"], a.Body.Str("properties", "scope")) {
			continue
		}
		if filter.byPrincipal && !strings.EqualFold(filter.principal, a.Body.Str("properties", "principalId")) {
			continue
		}
		rows = append(rows, assignmentIn(a.Body, r.APIVersion))
	}
	return arm.List(r, rows), nil
}

// bare is a GUID as the texts of Microsoft.Authorization write it.
func bare(guid string) string { return strings.ReplaceAll(guid, "-", "") }
