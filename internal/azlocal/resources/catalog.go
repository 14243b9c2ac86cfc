package resources

import (
	"slices"
	"strings"
)

// Region is an Azure region: what `az account list-locations` tells of it.
type Region struct {
	Name, DisplayName          string
	Geography, Group           string
	Place, Latitude, Longitude string
	Paired                     string
}

// Regions are those the local Azure plays; machines of all of them are on this computer.
func Regions() []Region {
	return []Region{
		{"eastus", "East US", "United States", "US", "Virginia", "37.3719", "-79.8164", "westus"},
		{"eastus2", "East US 2", "United States", "US", "Virginia", "36.6681", "-78.3889", "centralus"},
		{"westus", "West US", "United States", "US", "California", "37.783", "-122.417", "eastus"},
		{"westus2", "West US 2", "United States", "US", "Washington", "47.233", "-119.852", "westcentralus"},
		{"westus3", "West US 3", "United States", "US", "Phoenix", "33.448376", "-112.074036", "eastus"},
		{"centralus", "Central US", "United States", "US", "Iowa", "41.5908", "-93.6208", "eastus2"},
		{"northeurope", "North Europe", "Europe", "Europe", "Ireland", "53.3478", "-6.2597", "westeurope"},
		{"westeurope", "West Europe", "Europe", "Europe", "Netherlands", "52.3667", "4.9", "northeurope"},
		{"uksouth", "UK South", "United Kingdom", "Europe", "London", "50.941", "-0.799", "ukwest"},
		{"swedencentral", "Sweden Central", "Sweden", "Europe", "Gävle", "60.67488", "17.14127", "swedensouth"},
		{"germanywestcentral", "Germany West Central", "Germany", "Europe", "Frankfurt", "50.110924", "8.682127", "germanynorth"},
	}
}

// IsRegion tells whether a location exists.
func IsRegion(name string) bool {
	return slices.ContainsFunc(Regions(), func(r Region) bool { return r.Name == name })
}

// Normalize turns "East US" into "eastus".
func Normalize(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}

// RegionNames lists the regions as refusals do.
func RegionNames() []string {
	var out []string
	for _, r := range Regions() {
		out = append(out, r.Name)
	}
	return out
}

func displayNames() []string {
	var out []string
	for _, r := range Regions() {
		out = append(out, r.DisplayName)
	}
	return out
}
