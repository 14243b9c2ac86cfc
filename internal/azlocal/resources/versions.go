package resources

import (
	"slices"
	"strings"
)

// The api-versions that Azure has for groups of types: what `az provider show` lists, as far
// as it is known. Those that Microsoft's Go modules (two newest majors), azure-cli 2.45 and the
// recordings send are among them.
const (
	vmVersions = `2015-06-15 2016-03-30 2016-04-30-preview 2017-03-30 2017-12-01 2018-04-01 2018-06-01 2018-10-01 2019-03-01 2019-07-01
		2019-12-01 2020-06-01 2020-12-01 2021-03-01 2021-04-01 2021-07-01 2021-11-01 2022-03-01 2022-08-01 2022-11-01 2023-03-01
		2023-07-01 2023-09-01 2024-03-01 2024-07-01 2024-11-01 2025-04-01 2026-04-01`
	diskVersions = `2016-04-30-preview 2017-03-30 2018-04-01 2018-06-01 2018-09-30 2019-03-01 2019-07-01 2019-11-01 2020-05-01 2020-06-30
		2020-09-30 2020-12-01 2021-04-01 2021-08-01 2021-12-01 2022-03-02 2022-07-02 2023-01-02 2023-04-02 2023-10-02 2024-03-02
		2025-01-02 2026-03-02`
	skuVersions     = `2017-03-30 2017-09-01 2019-04-01 2021-07-01`
	galleryVersions = `2018-06-01 2019-03-01 2019-07-01 2019-12-01 2020-09-30 2021-07-01 2021-10-01 2022-01-03 2022-03-03 2022-08-03
		2023-07-03 2024-03-03 2025-03-03 2025-12-03`
	networkVersions = `2015-06-15 2016-03-30 2016-06-01 2016-09-01 2016-12-01 2017-03-01 2017-06-01 2017-08-01 2017-09-01 2017-10-01 2017-11-01
		2018-01-01 2018-02-01 2018-04-01 2018-06-01 2018-07-01 2018-08-01 2018-10-01 2018-11-01 2018-12-01 2019-02-01 2019-04-01
		2019-06-01 2019-07-01 2019-08-01 2019-09-01 2019-11-01 2019-12-01 2020-03-01 2020-04-01 2020-05-01 2020-06-01 2020-07-01
		2020-08-01 2020-11-01 2021-02-01 2021-03-01 2021-05-01 2021-08-01 2021-12-01 2022-01-01 2022-05-01 2022-07-01 2022-09-01
		2022-11-01 2023-02-01 2023-04-01 2023-05-01 2023-06-01 2023-09-01 2023-11-01 2024-01-01 2024-03-01 2024-05-01 2024-07-01
		2024-10-01 2025-01-01 2025-03-01 2025-05-01`
	resourceVersions = `2014-04-01 2015-01-01 2015-11-01 2016-02-01 2016-06-01 2016-07-01 2016-09-01 2017-05-10 2017-08-01 2018-01-01 2018-02-01
		2018-05-01 2019-03-01 2019-05-01 2019-05-10 2019-07-01 2019-08-01 2019-10-01 2019-11-01 2020-01-01 2020-05-01 2020-06-01
		2020-08-01 2020-09-01 2020-10-01 2021-01-01 2021-04-01 2022-01-01 2022-05-01 2022-06-01 2022-09-01 2022-12-01 2023-07-01
		2024-03-01 2024-07-01 2024-11-01 2025-03-01 2025-04-01`
	assignmentVersions = `2015-07-01 2016-07-01 2017-10-01-preview 2018-01-01-preview 2018-07-01 2018-09-01-preview 2018-12-01-preview
		2019-04-01-preview 2020-03-01-preview 2020-04-01-preview 2020-08-01-preview 2020-10-01-preview 2021-04-01-preview 2022-01-01-preview 2022-04-01`
	definitionVersions = `2015-06-01 2015-07-01 2016-07-01 2017-05-01 2017-10-01-preview 2018-01-01-preview 2018-07-01 2022-04-01 2022-05-01-preview`
	graphVersions      = `2018-09-01-preview 2019-04-01 2020-04-01-preview 2021-03-01 2021-06-01-preview 2022-10-01 2024-04-01`
	storageVersions    = `2018-07-01 2019-06-01 2021-09-01 2022-09-01 2023-01-01 2023-05-01 2024-01-01`
)

// Type is a resource type of a provider.
type Type struct {
	Name     string // without the namespace: "virtualNetworks/subnets"
	Tracked  bool   // its resources have tags and a location
	versions string
}

// Versions lists the api-versions of a type, oldest first.
func (t Type) Versions() []string { return strings.Fields(t.versions) }

// Has tells whether a type has an api-version.
func (t Type) Has(version string) bool {
	for v := range strings.FieldsSeq(t.versions) {
		if strings.EqualFold(v, version) {
			return true
		}
	}
	return false
}

// Namespace is a resource provider.
type Namespace struct {
	Name   string
	Types  []Type
	Always bool // registered in every subscription
}

// Namespaces are the providers that exist here. Of Microsoft.Storage only the registration
// exists.
func Namespaces() []Namespace {
	return []Namespace{
		{Name: "Microsoft.Authorization", Always: true, Types: slices.Concat(
			types(assignmentVersions, "roleAssignments"),
			types(definitionVersions, "roleDefinitions", "permissions", "providerOperations"))},
		{Name: "Microsoft.Compute", Types: slices.Concat(
			types(vmVersions, "virtualMachines*", "virtualMachines/runCommands*", "virtualMachines/extensions*", "images*", "availabilitySets*",
				"locations", "locations/operations", "locations/vmSizes", "locations/usages", "locations/publishers", "locations/runCommands", "locations/virtualMachines"),
			types(diskVersions, "disks*", "snapshots*", "locations/diskOperations"),
			types(skuVersions, "skus"),
			types(galleryVersions, "galleries*", "galleries/images*", "galleries/images/versions*"))},
		{Name: "Microsoft.Insights", Always: true, Types: types("2014-04-01 2015-04-01 2017-03-01-preview", "eventtypes", "eventtypes/values")},
		{Name: "Microsoft.Network", Types: types(networkVersions,
			"virtualNetworks*", "virtualNetworks/subnets", "networkSecurityGroups*", "networkSecurityGroups/securityRules",
			"networkSecurityGroups/defaultSecurityRules", "publicIPAddresses*", "networkInterfaces*", "networkInterfaces/ipConfigurations", "locations", "locations/operations",
			"locations/operationResults", "locations/usages", "locations/serviceTags", "locations/CheckDnsNameAvailability")},
		{Name: "Microsoft.ResourceGraph", Always: true, Types: types(graphVersions, "resources")},
		{Name: "Microsoft.Resources", Always: true, Types: types(resourceVersions,
			"tenants", "locations", "providers", "resourceGroups", "resources", "tags", "subscriptions", "subscriptions/locations", "subscriptions/operationresults",
			"subscriptions/providers", "subscriptions/resourceGroups", "subscriptions/resourcegroups/resources", "subscriptions/resources",
			"subscriptions/tagNames", "subscriptions/tagNames/tagValues")},
		{Name: "Microsoft.Storage", Types: types(storageVersions, "storageAccounts*")},
	}
}

// types makes types of one list of versions; a star marks tracked ones.
func types(versions string, names ...string) []Type {
	var out []Type
	for _, name := range names {
		bare, tracked := strings.CutSuffix(name, "*")
		out = append(out, Type{Name: bare, Tracked: tracked, versions: versions})
	}
	return out
}

// Find returns a type of a provider by its name, without case. What is not listed itself
// belongs to its parent: a catalogue of images is one type, "locations/publishers".
func (n Namespace) Find(resourceType string) (Type, bool) {
	for resourceType != "" {
		for _, t := range n.Types {
			if strings.EqualFold(t.Name, resourceType) {
				return t, true
			}
		}
		resourceType = resourceType[:max(strings.LastIndexByte(resourceType, '/'), 0)]
	}
	return Type{}, false
}
