package permission

import (
	"fmt"
	"strings"
)

// Usage is how a role comes to somebody: lines of text, and commands indented by two.
// selfStop is the GUID of the role that machines get. print is the command that printed
// the role.
func (p Part) Usage(at Place, o Options, selfStop, print string) []string {
	role := p.Role(at, o)
	file := "mngr-" + p.Name + ".json"
	assign := fmt.Sprintf("  az role assignment create --assignee WHO --role '%s' --scope %s", role.Name, role.AssignableScopes[0])
	if p.AssignsRoles(o) {
		assign += " --condition-version 2.0 --condition '" + strings.ReplaceAll(Condition(selfStop), "'", `'\''`) + "'"
	}
	lines := []string{
		"Rights for " + p.Work(o) + ". An Owner or User Access Administrator makes the role, once, and gives it to WHO (an object id, or a user's name):",
		"  " + print + " > " + file,
		"  az role definition create --role-definition @" + file,
		assign,
	}
	if p.AssignsRoles(o) {
		lines = append(lines, "The condition lets WHO give machines the role mngr-self-deallocate, and nobody any other role: without it WHO could give himself all rights in the group.")
	}
	return lines
}

// Condition is the condition (version 2.0) of an assignment whose role may assign roles:
// only the role with that GUID, only to service principals, such as a machine's identity.
func Condition(role string) string {
	const attributes = "Microsoft.Authorization/roleAssignments:"
	only := func(action, source string) string {
		of := "@" + source + "[" + attributes
		return strings.Join([]string{
			"((!(ActionMatches{'" + action + "'})) OR (",
			of, "RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {", role, "} AND ",
			of, "PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))",
		}, "")
	}
	return only(AssignRole, "Request") + " AND " + only(UnassignRole, "Resource")
}
