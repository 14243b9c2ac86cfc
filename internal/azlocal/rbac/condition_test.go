package rbac

import (
	"strings"
	"testing"
)

// TestCondition evaluates conditions, among them the one of Microsoft's "Constrain roles".
func TestCondition(t *testing.T) {
	const (
		write, remove = "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete"
		role          = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
		constrain     = `
(
 (
  !(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})
 )
 OR
 (
  @Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {b24988ac-6180-42a0-ab88-20f7382dd24c, 18d7d88d-d35e-4fb5-a5c3-7773c20a72d9}
  AND
  @Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase 'ServicePrincipal'
 )
)`
	)
	for _, c := range []struct {
		name, text, action, role, kind string
		want                           bool
	}{
		{"another action", constrain, remove, "", "", true},
		{"a role of the list", constrain, write, role, "serviceprincipal", true},
		{"another role", constrain, write, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "ServicePrincipal", false},
		{"another kind of principal", constrain, write, role, "User", false},
		{"no kind", constrain, write, role, "", false},
		{"NOT, ||, &&", `NOT ActionMatches{'*/write'} || @Request[a:RoleDefinitionId] StringEquals 'x' && ActionMatches{'Microsoft.*'}`, write, "x", "", true},
		{"AND before OR", `ActionMatches{'*/write'} OR ActionMatches{'*/write'} AND ActionMatches{'none'}`, write, "", "", true},
		{"StringEquals sees case", `@Request[a:RoleDefinitionId] StringEquals {'X'}`, write, "x", "", false},
	} {
		cond, err := parseCondition(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := cond(asked{c.action, func(source, name string) string {
			switch {
			case source != "Request":
				return ""
			case name[len(name)-len("RoleDefinitionId"):] == "RoleDefinitionId":
				return c.role
			}
			return c.kind
		}})
		if got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	for _, bad := range []string{
		"", "(", "ActionMatches", "ActionMatches{}", "ActionMatches{'a'} AND", "ActionMatches{'a'} ActionMatches{'b'}", "(ActionMatches{'a'}", "$",
		"@Request[a] Equals {'x'}", "@Environment[a] StringEquals 'x'", "@Request[a] StringEquals", "word word {x}", "!",
	} {
		if _, err := parseCondition(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestDeepCondition refuses what would overflow the stack, which nothing recovers from, and
// what is longer than Azure takes.
func TestDeepCondition(t *testing.T) {
	nested := func(open, end string, depth int) string {
		return strings.Repeat(open, depth) + "ActionMatches{'a'}" + strings.Repeat(end, depth)
	}
	for _, c := range [][2]string{{"(", ")"}, {"!", ""}, {"!(", ")"}} {
		if _, err := parseCondition(nested(c[0], c[1], maxDepth/4)); err != nil {
			t.Errorf("%s: %v", c[0], err)
		}
		for _, depth := range []int{maxDepth + 1, 2 << 20} {
			if _, err := parseCondition(nested(c[0], c[1], depth)); err == nil {
				t.Errorf("%s %d deep is taken", c[0], depth)
			}
		}
	}
	const term = "ActionMatches{'a'}"
	long := term + strings.Repeat(" OR "+term, (maxCondition-len(term))/len(" OR "+term))
	if _, err := parseCondition(long); err != nil {
		t.Errorf("%d bytes: %v", len(long), err)
	}
	if _, err := parseCondition(long + " OR " + term); err == nil {
		t.Errorf("more than %d bytes are taken", maxCondition)
	}
}
