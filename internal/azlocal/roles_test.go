package azlocal

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/fabric"
)

const tokenLife = time.Hour

// act does one act on a principal, as the command does it.
func (r *raw) act(name, what, body string) error {
	req := httptest.NewRequest("POST", "/principals/"+name+"/"+what, strings.NewReader(body))
	req.SetPathValue("name", name)
	req.SetPathValue("act", what)
	_, err := r.server.changePrincipal(req)
	return err
}

// rows are the values of a list.
func (r reply) rows(t *testing.T) []map[string]any {
	t.Helper()
	var list struct{ Value []map[string]any }
	if err := json.Unmarshal(r.Body, &list); err != nil || r.Status != 200 || list.Value == nil {
		t.Fatalf("list: %v: %d %s", err, r.Status, r.Body)
	}
	return list.Value
}

// TestRoleAssignmentErrors goes through what a PUT of an assignment can meet.
func TestRoleAssignmentErrors(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	l.sdk(l.credential()).prepare(ctx)
	owner := l.raw(ctx)
	owner.member("colleague", "rg", "Reader")
	colleague, err := l.inst.Principal("colleague")
	if err != nil {
		t.Fatal(err)
	}
	sub := "/subscriptions/" + l.inst.Subscription
	role := func(guid string) string { return sub + "/providers/Microsoft.Authorization/roleDefinitions/" + guid }
	const contributor, reader = "b24988ac-6180-42a0-ab88-20f7382dd24c", "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	put := func(scope, name, guid, principal, more, version string) reply {
		return owner.do(ctx, "PUT", scope+"/providers/Microsoft.Authorization/roleAssignments/"+name+"?api-version="+version,
			fmt.Sprintf(`{"properties":{"roleDefinitionId":%q,"principalId":%q%s}}`, role(guid), principal, more))
	}
	const now = "2022-04-01"
	name, oid := uuid.NewString(), colleague.ObjectID
	put(sub, "x", reader, oid, "", now).refused(t, "no name", 400, "InvalidRoleAssignmentId", "")
	put(sub, name, reader, "x", "", now).refused(t, "no principal", 400, "InvalidPrincipalId", "")
	put(sub, name, uuid.NewString(), oid, "", now).refused(t, "no role", 404, "RoleDefinitionDoesNotExist", "")
	put(sub, name, reader, uuid.NewString(), "", now).refused(t, "nobody", 400, "PrincipalNotFound", "does not exist in the directory "+l.inst.Tenant)
	put(sub, name, reader, oid, `,"principalType":"User"`, now).refused(t, "another type", 400, "UnmatchedPrincipalType",
		"The PrincipalId '"+strings.ReplaceAll(oid, "-", "")+"' has type 'ServicePrincipal' , which is different from specified PrinciaplType 'User'.")
	put(sub, name, reader, oid, `,"principalType":"MSI"`, now).refused(t, "no type", 400, "InvalidPrincipalType", "It must be 'User', 'Group' or 'ServicePrincipal'.")
	put(sub, name, reader, oid, `,"principalType":"User"`, "2015-07-01").refused(t, "a version without types", 201, "", "")
	put(sub, name, reader, oid, "", now).refused(t, "again", 200, "", "")
	put(sub, name, contributor, oid, "", now).refused(t, "another role", 400, "RoleAssignmentUpdateNotPermitted", "")
	put(sub+"/resourceGroups/rg", name, reader, oid, "", now).refused(t, "the name elsewhere", 400, "RoleAssignmentUpdateNotPermitted", "")
	put(sub, uuid.NewString(), reader, oid, "", now).refused(t, "under another name", 409, "RoleAssignmentExists", strings.ReplaceAll(name, "-", ""))
	if rep := put(sub, name, reader, oid, `,"description":"why"`, now); rep.Status != 200 || !strings.Contains(string(rep.Body), `"description":"why"`) {
		t.Errorf("a description: %d %s", rep.Status, rep.Body)
	}
	for _, no := range []string{`,"description":{}`, `,"condition":[]`, `,"condition":1`, `,"conditionVersion":{}`, `,"description":["a"]`} {
		for range 2 {
			put(sub, name, reader, oid, no, now).refused(t, no, 400, "BadRequestFormat", "")
			put(sub, uuid.NewString(), contributor, oid, no, now).refused(t, no+" of a new one", 400, "BadRequestFormat", "")
		}
	}
	put(sub, name, reader, oid, `,"description":null,"condition":null`, now).refused(t, "null", 200, "", "")
	l.set(t, map[string]string{"quota.roleAssignments": "1"})
	put(sub, uuid.NewString(), contributor, oid, "", now).refused(t, "too many", 400, "RoleAssignmentLimitExceeded", "")
	l.set(t, map[string]string{"quota.roleAssignments": "", fabric.DirectoryReplication: "1h"})
	put(sub, uuid.NewString(), contributor, oid, "", now).refused(t, "too new", 400, "PrincipalNotFound", "")
	put(sub, uuid.NewString(), contributor, oid, `,"principalType":"ServicePrincipal"`, now).refused(t, "too new, with its type", 201, "", "")

	old := owner.do(ctx, "GET", sub+"/providers/Microsoft.Authorization/roleAssignments/"+name+"?api-version=2015-07-01", "")
	if strings.Contains(string(old.Body), "principalType") || !strings.Contains(string(old.Body), "createdBy") {
		t.Errorf("in 2015-07-01: %s", old.Body)
	}
	for _, want := range []struct {
		status int
		method string
	}{{200, "DELETE"}, {204, "DELETE"}, {404, "GET"}} {
		if rep := owner.do(ctx, want.method, sub+"/providers/Microsoft.Authorization/roleAssignments/"+name+authorizationAPI, ""); rep.Status != want.status {
			t.Errorf("%s: %d %s, want %d", want.method, rep.Status, rep.Body, want.status)
		}
	}
}

// TestRoleLists checks the filters of the lists, and the shape of a role in each version.
func TestRoleLists(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	l.sdk(l.credential()).prepare(ctx)
	owner := l.raw(ctx)
	owner.member("a", "", "Reader")
	owner.member("b", "rg", "Contributor")
	owner.member("b", "", "Tag Contributor")
	b, err := l.inst.Principal("b")
	if err != nil {
		t.Fatal(err)
	}
	sub := "/subscriptions/" + l.inst.Subscription
	const list = "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter="
	for path, want := range map[string]int{
		sub + list:                                             4,
		sub + list + "atScope()":                               3,
		sub + "/resourceGroups/rg" + list:                      4,
		sub + "/resourceGroups/other" + list:                   -1,
		sub + list + "principalId%20eq%20'" + b.ObjectID + "'": 2,
		sub + list + "assignedTo('" + b.ObjectID + "')":        2,
		sub + "/resourceGroups/rg" + list + "atScope()+and+assignedTo('" + b.ObjectID + "')": 2,
		sub + list + "atScope()+and+principalId+eq+'" + b.ObjectID + "'":                     1,
	} {
		rep := owner.do(ctx, "GET", path, "")
		if want < 0 {
			rep.refused(t, path, 404, "ResourceGroupNotFound", "")
		} else if got := len(rep.rows(t)); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}

	custom := uuid.NewString()
	define := func(guid, name, scope string) reply {
		return owner.do(ctx, "PUT", scope+"/providers/Microsoft.Authorization/roleDefinitions/"+guid+authorizationAPI, fmt.Sprintf(
			`{"properties":{"roleName":%q,"type":"CustomRole","assignableScopes":[%q],"permissions":[{"actions":["Microsoft.Compute/*"],"notActions":["*/delete"],"dataActions":["Microsoft.Compute/virtualMachines/login/action"]}]}}`, name, scope))
	}
	define(custom, "o'clock", sub+"/resourceGroups/rg").refused(t, "define", 201, "", "")
	define(uuid.NewString(), "O'Clock", sub).refused(t, "the name again", 409, "RoleDefinitionWithSameNameExists", "")
	define(uuid.NewString(), "reader", sub).refused(t, "a built-in name", 409, "RoleDefinitionWithSameNameExists", "")
	define("acdd72a7-3385-48ef-bd42-f606fba81ae7", "mine", sub).refused(t, "a built-in role", 400, "RoleDefinitionUpdateNotPermitted", "")
	define("x", "mine", sub).refused(t, "no id", 400, "InvalidRoleDefinitionId", "")
	define(uuid.NewString(), "mine", l.id("Microsoft.Network/networkSecurityGroups/nsg")).refused(t, "for a resource", 400, "InvalidAssignableScope", "")
	const roles = "/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter="
	for path, want := range map[string]int{
		sub + roles + "roleName+eq+'Contributor'":                                               1,
		sub + roles + "roleName+eq+'o''clock'":                                                  0, // it is the group's
		sub + roles + "atScopeAndBelow()+and+roleName+eq+'o''clock'":                            1,
		sub + "/resourceGroups/rg" + roles + "roleName+eq+'o''clock'":                           1,
		sub + "/resourceGroups/rg" + roles + "type+eq+'CustomRole'":                             1,
		sub + roles + "type+eq+'CustomRole'+and+atScopeAndBelow()":                              1,
		sub + roles + "type+eq+'BuiltInRole'+and+roleName+eq+'Owner'":                           1,
		sub + "/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01":       0,
		sub + "/providers/Microsoft.Authorization/classicAdministrators?api-version=2015-07-01": 0,
	} {
		if got := len(owner.do(ctx, "GET", path, "").rows(t)); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	for version, data := range map[string]bool{"2022-04-01": true, "2018-01-01-preview": true, "2015-07-01": false} {
		rep := owner.do(ctx, "GET", sub+"/providers/Microsoft.Authorization/roleDefinitions/"+custom+"?api-version="+version, "")
		if rep.Status != 200 || strings.Contains(string(rep.Body), "virtualMachines/login/action") != data {
			t.Errorf("%s: %d %s", version, rep.Status, rep.Body)
		}
	}
	// The role is assigned where it may be, and nowhere else.
	assign := func(scope string) reply {
		return owner.do(ctx, "PUT", scope+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString()+authorizationAPI,
			fmt.Sprintf(`{"properties":{"roleDefinitionId":"%s/providers/Microsoft.Authorization/roleDefinitions/%s","principalId":%q}}`, sub, custom, b.ObjectID))
	}
	assign(sub).refused(t, "above the role", 404, "RoleDefinitionDoesNotExist", "")
	assign(l.id("Microsoft.Network/networkSecurityGroups/nsg")).refused(t, "below", 201, "", "")
	owner.do(ctx, "DELETE", sub+"/providers/Microsoft.Authorization/roleDefinitions/"+custom+authorizationAPI, "").refused(t, "in use", 400, "RoleDefinitionHasAssignments", "")
	// notActions count.
	if rows := owner.as("b").do(ctx, "GET", sub+"/resourceGroups/rg/providers/Microsoft.Authorization/permissions"+authorizationAPI, "").rows(t); len(rows) != 2 {
		t.Errorf("permissions of b: %v", rows)
	}
}

// TestRightsGo takes rights away: at once, after a while, and in spite of a role.
func TestRightsGo(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	l.sdk(l.credential()).prepare(ctx)
	owner := l.raw(ctx)
	b := owner.member("b", "rg", "Contributor")
	group := "/subscriptions/" + l.inst.Subscription + "/resourceGroups/rg?api-version=2022-09-01"
	read := func(what string, status int, code string) {
		t.Helper()
		b.do(ctx, "GET", group, "").refused(t, what, status, code, "")
	}
	act := func(what, body string) {
		t.Helper()
		if err := owner.act("b", what, body); err != nil {
			t.Fatal(err)
		}
	}
	read("with the role", 200, "")
	act(actDeny, `{"actions":["*/read"],"scope":"rg"}`)
	read("denied", 403, "DenyAssignmentAuthorizationFailed")
	if rows := owner.do(ctx, "GET", "/subscriptions/"+l.inst.Subscription+"/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01", "").rows(t); len(rows) != 1 {
		t.Errorf("deny assignments: %v", rows)
	}
	act(actUndeny, `{}`)
	read("no longer denied", 200, "")
	l.set(t, map[string]string{fabric.RoleRemoval: "1h"})
	act(actWithdraw, `{"roles":["Contributor"],"scope":"rg"}`)
	read("removed a moment ago", 200, "")
	if err := owner.act("b", actWithdraw, `{"roles":["Contributor"],"scope":"rg"}`); err == nil {
		t.Error("a role was taken away twice")
	}
	l.set(t, map[string]string{fabric.RoleRemoval: "0s"})
	read("removed", 403, "AuthorizationFailed")
	if err := owner.act("nobody", actRevoke, `{}`); err == nil {
		t.Error("nobody's tokens were revoked")
	}
}
