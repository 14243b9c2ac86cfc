package compute

import (
	"regexp"
	"strconv"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

var locationEq = regexp.MustCompile(`(?i)location\s+eq\s+'([^']*)'`)

// listSKUs answers what a subscription may use where: policy, not capacity.
func listSKUs(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	m := locationEq.FindStringSubmatch(r.Query.Get("$filter"))
	for _, reg := range resources.Regions() {
		if m != nil && reg.Name != resources.Normalize(m[1]) {
			continue
		}
		for _, s := range Sizes() {
			rows = append(rows, s.sku(reg.Name, restrictions(t, s.Name, reg.Name)))
		}
	}
	return arm.List(r, rows), nil
}

func (s Size) sku(location string, restrictions []any) doc.Object {
	capability := func(name, value string) any { return doc.Object{"name": name, "value": value} }
	flag := map[bool]string{true: "True", false: "False"}
	return doc.Object{
		"resourceType": "virtualMachines", "name": s.Name, "tier": "Standard", "size": strings.TrimPrefix(s.Name, "Standard_"), "family": s.Family,
		"locations":    []any{location},
		"locationInfo": []any{doc.Object{"location": location, "zones": []any{"1", "2", "3"}, "zoneDetails": []any{}}},
		"capabilities": []any{
			capability("MaxResourceVolumeMB", strconv.Itoa(s.TempDiskMB)), capability("OSVhdSizeMB", "1047552"), capability("vCPUs", strconv.Itoa(s.Cores)),
			capability("HyperVGenerations", s.Generations), capability("MemoryGB", strconv.FormatFloat(float64(s.MemoryMB)/1024, 'g', -1, 64)),
			capability("MaxDataDiskCount", strconv.Itoa(s.DataDisks)), capability("CpuArchitectureType", s.Arch),
			capability("LowPriorityCapable", flag[s.Spot]), capability("PremiumIO", "True"), capability("vCPUsAvailable", strconv.Itoa(s.Cores)),
			capability("EphemeralOSDiskSupported", "False"), capability("EncryptionAtHostSupported", "True"), capability("AcceleratedNetworkingEnabled", flag[s.Cores >= 2]),
		},
		"restrictions": restrictions,
	}
}

func listSizes(_ *fabric.Tx, _ *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	for _, s := range Sizes() {
		rows = append(rows, doc.Object{"name": s.Name, "numberOfCores": s.Cores, "osDiskSizeInMB": 1047552,
			"resourceDiskSizeInMB": s.TempDiskMB, "memoryInMB": s.MemoryMB, "maxDataDiskCount": s.DataDisks})
	}
	return arm.OK(doc.Object{"value": rows}), nil
}
