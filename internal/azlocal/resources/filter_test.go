package resources

import (
	"strings"
	"testing"
)

func TestFilter(t *testing.T) {
	r := &row{id: "/subscriptions/s/resourceGroups/Prod/providers/Microsoft.Compute/virtualMachines/web-1", resourceType: "Microsoft.Compute/virtualMachines",
		location: "westus2", principalID: "p", tags: map[string]string{"Env": "Prod", "it's": "x"}}
	for _, c := range []struct {
		filter string
		want   bool
	}{
		{"", true},
		{"resourceType eq 'microsoft.compute/virtualmachines'", true},
		{"resourceType ne 'Microsoft.Compute/virtualMachines'", false},
		{"RESOURCETYPE EQ 'x' OR name eq 'WEB-1'", true},
		{"resourceType eq 'x' or (name eq 'web-1' and location eq 'West US 2')", true},
		{"name eq 'web-1' and location eq 'eastus' or resourceGroup eq 'prod'", true},
		{"name eq 'web-1' and (location eq 'eastus' or resourceGroup eq 'dev')", false},
		{"substringof('eb-', name)", true},
		{"substringof('db', name) or substringof('ro', resourceGroup)", true},
		{"identity/principalId eq 'p'", true},
		{"tagName eq 'env'", true},
		{"tagname eq 'env' and tagvalue eq 'Prod'", true},
		{"tagName eq 'env' and tagValue eq 'prod'", false},
		{"tagName eq 'it''s'", true},
		{"startswith(tagName, 'en')", true},
	} {
		n, err := parseFilter(c.filter, resourceProperties())
		if err != nil || n.matches(r) != c.want {
			t.Errorf("%s: %v, want %v (%v)", c.filter, n.matches(r), c.want, err)
		}
	}
	for _, bad := range []string{
		"name", "name eq", "name eq web", "name eq 'web", "name like 'x'", "size eq 'x'", "name eq 'a' and", "(name eq 'a'", "name eq 'a')",
		"substringof(name, 'a')", "$filter=name eq 'a'", "tagValue eq 'x'", "tagName eq 'a' and resourceType eq 'b'", "tagName eq 'a' or tagName eq 'b'",
		strings.Repeat("(", 100) + "name eq 'a'" + strings.Repeat(")", 100),
	} {
		if _, err := parseFilter(bad, resourceProperties()); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := parseFilter("name eq 'a'", nil); err == nil {
		t.Error("groups cannot be filtered by name (azure-sdk-for-go#2480)")
	}
}

// FuzzFilter checks that no filter panics and that what parses can be applied.
func FuzzFilter(f *testing.F) {
	f.Add("resourceType eq 'a' and (name ne 'b' or substringof('c', name))")
	f.Add("tagName eq 'x' and tagValue eq ''")
	f.Add("startswith(tagName,'''')")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseFilter(text, resourceProperties())
		if err == nil {
			n.matches(&row{tags: map[string]string{"a": "b"}})
		}
	})
}
