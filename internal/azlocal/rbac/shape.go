package rbac

import (
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// The api-versions from which on assignments have a principalType, assignments have a
// condition, and permissions have data actions (the module's versions).
const (
	versionWithData      = "2018-01-01-preview"
	versionWithType      = "2018-09-01-preview"
	versionWithCondition = "2020-03-01-preview"
)

func assignmentBody(t *fabric.Tx, scope, name string, by arm.Principal, props doc.Object) doc.Object {
	now := fabric.Timestamp(t.World().Now())
	return doc.Object{"id": scope + "/providers/" + TypeAssignment + "/" + name, "name": name, "type": TypeAssignment, "properties": doc.Object{
		"roleDefinitionId": props.Str("roleDefinitionId"), "principalId": props.Str("principalId"), "principalType": props.Str("principalType"),
		"scope": scope, "condition": props.Get("condition"), "conditionVersion": props.Get("conditionVersion"),
		"createdOn": now, "updatedOn": now, "createdBy": by.ObjectID, "updatedBy": by.ObjectID,
		"delegatedManagedIdentityResourceId": nil, "description": props.Get("description"),
	}}
}

// assignmentIn is an assignment as an api-version shows it.
func assignmentIn(body doc.Object, version string) doc.Object {
	if version >= versionWithCondition {
		return body
	}
	keys := []string{"roleDefinitionId", "principalId", "scope", "createdOn", "updatedOn", "createdBy", "updatedBy"}
	if version >= versionWithType {
		keys = append(keys, "principalType")
	}
	out := body.Keep("id", "name", "type")
	props := body.Obj("properties").Keep(keys...)
	if version >= versionWithType {
		props["canDelegate"] = nil
	}
	out["properties"] = props
	return out
}

// definitionIn is a role as an api-version shows it at a scope: a role that is read at the
// root has an id without a subscription.
func definitionIn(body doc.Object, scope, version string) doc.Object {
	atRoot := scope == "" && body.Str("properties", "type") == "BuiltInRole"
	if version >= versionWithData && !atRoot {
		return body
	}
	out := body.Clone()
	if atRoot {
		out["id"] = "/providers/" + typeDefinition + "/" + body.Str("name")
	}
	if version < versionWithData {
		for _, p := range out.List("properties", "permissions") {
			p.Drop("dataActions")
			p.Drop("notDataActions")
		}
	}
	return out
}
