package resources

import "slices"

// Region is an Azure region.
type Region struct{ Name, DisplayName, Geography, Paired string }

// Regions are those the local Azure plays; machines of all of them are on this computer.
func Regions() []Region {
	return []Region{
		{"eastus", "East US", "US", "westus"}, {"eastus2", "East US 2", "US", "centralus"},
		{"westus", "West US", "US", "eastus"}, {"westus2", "West US 2", "US", "westcentralus"},
		{"westus3", "West US 3", "US", "eastus"}, {"centralus", "Central US", "US", "eastus2"},
		{"northeurope", "North Europe", "Europe", "westeurope"}, {"westeurope", "West Europe", "Europe", "northeurope"},
		{"uksouth", "UK South", "UK", "ukwest"}, {"swedencentral", "Sweden Central", "Europe", "swedensouth"},
		{"germanywestcentral", "Germany West Central", "Europe", "germanynorth"},
	}
}

// IsRegion tells whether a location exists.
func IsRegion(name string) bool {
	return slices.ContainsFunc(Regions(), func(r Region) bool { return r.Name == name })
}

// Namespace is a resource provider.
type Namespace struct {
	Name     string
	Types    []string
	Versions []string
	Always   bool // registered in every subscription
}

// Namespaces are the providers that exist here. Of Microsoft.Storage only the
// registration exists.
func Namespaces() []Namespace {
	compute := []string{"2026-04-01", "2026-03-02", "2025-12-03", "2025-04-01", "2025-01-02", "2024-11-01", "2024-07-01", "2024-03-01", "2024-03-02",
		"2023-10-02", "2023-09-01", "2023-07-01", "2023-04-02", "2023-03-01", "2022-11-01", "2022-08-01", "2022-03-01", "2021-11-01", "2021-07-01", "2021-03-01", "2020-12-01", "2020-06-01", "2019-12-01", "2019-07-01", "2019-04-01", "2019-03-01"}
	network := []string{"2025-05-01", "2025-03-01", "2025-01-01", "2024-10-01", "2024-07-01", "2024-05-01", "2024-03-01", "2024-01-01",
		"2023-11-01", "2023-09-01", "2023-06-01", "2023-05-01", "2023-04-01", "2023-02-01", "2022-11-01", "2022-09-01", "2022-07-01", "2022-05-01", "2022-01-01", "2021-12-01", "2021-08-01", "2021-05-01", "2021-02-01", "2020-11-01", "2018-11-01", "2018-01-01"}
	resource := []string{"2025-04-01", "2024-11-01", "2024-03-01", "2023-07-01", "2022-12-01", "2022-09-01", "2022-06-01", "2022-01-01", "2021-04-01", "2021-01-01", "2020-10-01", "2020-06-01", "2020-01-01", "2019-11-01", "2019-10-01", "2019-05-01", "2018-05-01", "2016-06-01", "2015-01-01"}
	return []Namespace{
		{"Microsoft.Compute", []string{"virtualMachines", "disks", "locations", "locations/operations", "locations/vmSizes", "locations/usages", "locations/publishers"}, compute, false},
		{"Microsoft.Network", []string{"virtualNetworks", "virtualNetworks/subnets", "networkSecurityGroups", "networkSecurityGroups/securityRules", "publicIPAddresses", "networkInterfaces", "locations", "locations/operations", "locations/operationResults"}, network, false},
		{"Microsoft.Storage", []string{"storageAccounts"}, []string{"2024-01-01", "2023-05-01", "2021-09-01"}, false},
		{"Microsoft.Authorization", []string{"roleAssignments", "roleDefinitions", "denyAssignments", "permissions", "classicAdministrators"}, []string{"2022-05-01-preview", "2022-04-01", "2020-10-01-preview", "2020-08-01-preview", "2020-04-01-preview", "2020-03-01-preview", "2018-09-01-preview", "2018-07-01", "2018-07-01-preview", "2018-01-01-preview", "2015-07-01", "2015-06-01"}, true},
		{"Microsoft.Insights", []string{"eventtypes"}, []string{"2015-04-01"}, true},
		{"Microsoft.Resources", []string{"subscriptions", "resourceGroups", "tags", "tenants"}, resource, true},
	}
}
