package entra

import (
	"slices"
	"strings"
)

// armAudiences are those that ARM accepts; the list is that of its own error text.
func armAudiences() []string {
	return []string{
		"https://management.core.windows.net/", "https://management.core.windows.net",
		"https://management.azure.com/", "https://management.azure.com",
	}
}

// IsARM tells whether an audience is ARM's.
func IsARM(audience string) bool { return listed(armAudiences(), audience) }

// IsGraph tells whether an audience is Microsoft Graph's, by its public name, its
// application id, or its address here.
func IsGraph(audience, host string) bool {
	return listed([]string{"https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000", "https://" + host + "/msgraph"}, strings.TrimRight(audience, "/"))
}

// known tells whether the tenant has a resource: ARM and Graph, and some that every tenant
// has and that nothing here serves.
func known(audience, host string) bool {
	others := []string{"https://graph.windows.net", "https://vault.azure.net", "https://storage.azure.com", "https://" + host + "/graph", "https://" + host}
	return IsARM(audience) || IsGraph(audience, host) || listed(others, strings.TrimRight(audience, "/"))
}

func listed(all []string, audience string) bool {
	return slices.ContainsFunc(all, func(a string) bool { return strings.EqualFold(a, audience) })
}
