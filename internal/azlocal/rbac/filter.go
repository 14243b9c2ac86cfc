package rbac

import (
	"regexp"
	"strings"

	"mngr/internal/azlocal/arm"
)

// filter is the $filter of a list of assignments (documentation: role-assignments-list-rest).
type filter struct {
	atScope     bool // nothing below the scope
	byPrincipal bool
	principal   string
	denyName    string
}

var assignedTo = regexp.MustCompile(`(?i)assignedTo\(\s*'([^']*)'\s*\)`)

func parseFilter(text string) filter {
	f := filter{atScope: strings.Contains(strings.ToLower(text), "atscope()")}
	f.principal, f.byPrincipal = equals(text, "principalId")
	if m := assignedTo.FindStringSubmatch(text); m != nil {
		f.principal, f.byPrincipal = m[1], true
	}
	f.denyName, _ = equals(text, "denyAssignmentName")
	return f
}

// reaches tells whether an assignment made at a scope is in the list of another scope: at
// and above it, and below it too unless the filter says atScope().
func (f filter) reaches(scope, made string) bool {
	return arm.Within(scope, made) || !f.atScope && arm.Within(made, scope)
}

// equals finds "name eq 'value'" in an OData filter; two quotes stand for one.
func equals(filter, name string) (value string, ok bool) {
	m := regexp.MustCompile(`(?i)\b` + name + `\s+eq\s+'((?:[^']|'')*)'`).FindStringSubmatch(filter)
	if m == nil {
		return "", false
	}
	return strings.ReplaceAll(m[1], "''", "'"), true
}
