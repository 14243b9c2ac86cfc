package rbac

import (
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// Can tells whether p may do action at scope: some assignment at the scope or above has
// a role that allows it. There are no deny assignments here.
func Can(t *fabric.Tx, p arm.Principal, action, scope string) bool {
	for _, a := range effective(t, p) {
		if arm.Within(scope, a.Body.Str("properties", "scope")) && allows(t, a, action) {
			return true
		}
	}
	return false
}

// CanBelow tells whether p may do action anywhere below scope.
func CanBelow(t *fabric.Tx, p arm.Principal, action, scope string) bool {
	for _, a := range effective(t, p) {
		if arm.Within(a.Body.Str("properties", "scope"), scope) && allows(t, a, action) {
			return true
		}
	}
	return false
}

// effective returns the assignments of a principal that already count.
func effective(t *fabric.Tx, p arm.Principal) []*fabric.Document {
	var out []*fabric.Document
	w := t.World()
	for _, id := range t.Referrers(principalKey(p.ObjectID)) {
		a := t.Peek(id)
		made, err := time.Parse(time.RFC3339Nano, a.Hidden.Str("made"))
		if age := w.Now().Sub(made); err == nil && age >= 0 && age < w.Settings.Time(fabric.RolePropagation) { // below 0: the clock was set back
			continue
		}
		out = append(out, a)
	}
	return out
}

func allows(t *fabric.Tx, assignment *fabric.Document, action string) bool {
	role := definition(t, arm.Name(assignment.Body.Str("properties", "roleDefinitionId")))
	for _, p := range role.List("properties", "permissions") {
		if matchAny(p.Strings("actions"), action) && !matchAny(p.Strings("notActions"), action) {
			return true
		}
	}
	return false
}

// definition returns the body of a role by its GUID, nil when there is none.
func definition(t *fabric.Tx, guid string) doc.Object {
	subscription := t.World().Subscription
	for _, b := range builtins() {
		if strings.EqualFold(b.guid, guid) {
			return b.body(subscription)
		}
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
