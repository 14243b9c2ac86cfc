package rbac

import (
	"net/http"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// Authorize refuses what p may not do at scope, in ARM's words: for want of a role, or
// because of a deny assignment, which wins over every role.
func Authorize(t *fabric.Tx, p arm.Principal, action, scope string) error {
	return authorize(t, p, asked{action, noAttribute}, scope)
}

// AuthorizeRequest does the same for a request, at whose body and resource the conditions
// of role assignments may look.
func AuthorizeRequest(t *fabric.Tx, r *arm.Request, action, scope string) error {
	return authorize(t, r.Principal, asked{action, attributesOf(t, r)}, scope)
}

func authorize(t *fabric.Tx, p arm.Principal, a asked, scope string) error {
	action := a.action
	if !allowed(t, p, a, scope) {
		return arm.Gatewayf(http.StatusForbidden, "AuthorizationFailed",
			"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
			p.AppID, p.ObjectID, action, scope)
	}
	if d := deniedBy(t, p, action, scope); d != nil {
		return arm.Gatewayf(http.StatusForbidden, "DenyAssignmentAuthorizationFailed",
			"The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, the access is denied because of the deny assignment with name '%s' and Id '%s' at scope '%s'.",
			p.AppID, p.ObjectID, action, scope, d.Body.Str("properties", "denyAssignmentName"), d.Body.Str("name"), d.Body.Str("properties", "scope"))
	}
	return nil
}

// Can tells whether p may do action at scope.
func Can(t *fabric.Tx, p arm.Principal, action, scope string) bool {
	return allowed(t, p, asked{action, noAttribute}, scope) && deniedBy(t, p, action, scope) == nil
}

// CanBelow tells whether p may do action anywhere below scope.
func CanBelow(t *fabric.Tx, p arm.Principal, action, scope string) bool {
	for _, a := range effective(t, p) {
		if arm.Within(a.Body.Str("properties", "scope"), scope) && allows(t, a, asked{action, noAttribute}) {
			return true
		}
	}
	return false
}

// allowed tells whether some assignment at the scope or above has a role that allows it.
func allowed(t *fabric.Tx, p arm.Principal, what asked, scope string) bool {
	for _, a := range effective(t, p) {
		if arm.Within(scope, a.Body.Str("properties", "scope")) && allows(t, a, what) {
			return true
		}
	}
	return false
}

// effective returns the assignments of a principal that count: a new one not yet, one that
// was removed still for a while.
func effective(t *fabric.Tx, p arm.Principal) []*fabric.Document {
	var out []*fabric.Document
	w := t.World()
	for _, id := range t.Referrers(principalKey(p.ObjectID)) {
		a := t.Peek(id)
		age := since(t, a, "made")
		tooNew := age >= 0 && age < w.Settings.Time(fabric.RolePropagation) // below 0: the clock was set back
		if tooNew || isRemoved(a) && since(t, a, "removed") >= w.Settings.Time(fabric.RoleRemoval) {
			continue
		}
		out = append(out, a)
	}
	return out
}

// since is the time from an event of an assignment; one that is not noted was long ago.
func since(t *fabric.Tx, a *fabric.Document, event string) time.Duration {
	at, err := time.Parse(time.RFC3339Nano, a.Hidden.Str(event))
	if err != nil {
		return 1<<63 - 1
	}
	return t.World().Now().Sub(at)
}

func allows(t *fabric.Tx, assignment *fabric.Document, a asked) bool {
	for _, p := range permissionsOf(t, arm.Name(assignment.Body.Str("properties", "roleDefinitionId"))) {
		if p.covers(a.action) {
			return holds(assignment, a)
		}
	}
	return false
}

// holds tells whether an assignment's condition is fulfilled. One that nobody here
// understands is not; it was refused when it came.
func holds(assignment *fabric.Document, a asked) bool {
	text := assignment.Body.Str("properties", "condition")
	if text == "" {
		return true
	}
	c, err := parseCondition(text)
	return err == nil && c(a)
}

// noAttribute is what a condition sees where no request is about a role assignment.
func noAttribute(string, string) string { return "" }

// attributesOf are the attributes of a role assignment that a request would make
// (@Request) or that is there (@Resource).
func attributesOf(t *fabric.Tx, r *arm.Request) func(source, name string) string {
	return func(source, name string) string {
		body := r.Body
		if strings.EqualFold(source, "Resource") {
			d := t.Peek(r.ID)
			if d == nil {
				return ""
			}
			body = d.Body
		}
		switch _, attribute, _ := strings.Cut(name, ":"); strings.ToLower(attribute) {
		case "roledefinitionid":
			return arm.Name(body.Str("properties", "roleDefinitionId"))
		case "principalid":
			return body.Str("properties", "principalId")
		case "principaltype":
			return body.Str("properties", "principalType")
		}
		return ""
	}
}

// permission is one element of a role's permissions.
type permission struct{ actions, notActions []string }

func (p permission) covers(action string) bool {
	return matchAny(p.actions, action) && !matchAny(p.notActions, action)
}

func permissionsOf(t *fabric.Tx, guid string) []permission {
	if b, ok := findBuiltin(guid); ok {
		return []permission{{b.actions, b.notActions}}
	}
	if d := t.Peek(definitionID(t.World().Subscription, guid)); d != nil {
		return permissionList(d.Body)
	}
	return nil
}

func permissionList(body doc.Object) []permission {
	var out []permission
	for _, p := range body.List("properties", "permissions") {
		out = append(out, permission{p.Strings("actions"), p.Strings("notActions")})
	}
	return out
}

// definition returns the body of a role by its GUID, nil when there is none.
func definition(t *fabric.Tx, guid string) doc.Object {
	subscription := t.World().Subscription
	if b, ok := findBuiltin(guid); ok {
		return b.body(subscription)
	}
	if d := t.Peek(definitionID(subscription, guid)); d != nil {
		return d.Body
	}
	return nil
}

func matchAny(patterns []string, action string) bool {
	for _, p := range patterns {
		if arm.Wildcard(p, action) {
			return true
		}
	}
	return false
}

func principalKey(objectID string) string { return "principal:" + strings.ToLower(objectID) }

// IdentityKey is what a resource refers to when it has a managed identity, so that the
// directory knows the principal.
func IdentityKey(objectID string) string { return "identity:" + strings.ToLower(objectID) }
