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

var locationEq = regexp.MustCompile(`(?i)^\s*location\s+eq\s+'([^']*)'\s*$`)

// listSKUs answers what a subscription may use where: policy, not capacity.
func listSKUs(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	filter := r.Query.Get("$filter")
	m := locationEq.FindStringSubmatch(filter)
	if filter != "" && m == nil {
		return nil, invalid("$filter", "The value '%s' of the query parameter $filter is invalid. The only supported filter is 'location'.", filter)
	}
	for _, reg := range resources.Regions() {
		if m != nil && reg.Name != resources.Normalize(m[1]) {
			continue
		}
		for _, s := range Sizes() {
			rows = append(rows, s.sku(reg.Name, restrictions(t, s.Name, reg.Name)))
		}
		for _, sku := range diskSKUs() {
			rows = append(rows, diskSKU(sku, reg.Name))
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
		"locationInfo": locationInfo(location),
		"capabilities": []any{
			capability("MaxResourceVolumeMB", strconv.Itoa(s.TempDiskMB)), capability("OSVhdSizeMB", "1047552"), capability("vCPUs", strconv.Itoa(s.Cores)),
			capability("HyperVGenerations", s.Generations), capability("MemoryGB", strconv.FormatFloat(float64(s.MemoryMB)/1024, 'g', -1, 64)),
			capability("MaxDataDiskCount", strconv.Itoa(s.DataDisks)), capability("MaxNetworkInterfaces", strconv.Itoa(s.interfaces())), capability("HibernationSupported", "False"), capability("CpuArchitectureType", s.Arch),
			capability("LowPriorityCapable", flag[s.Spot]), capability("PremiumIO", "True"), capability("vCPUsAvailable", strconv.Itoa(s.Cores)),
			capability("EphemeralOSDiskSupported", "False"), capability("EncryptionAtHostSupported", "True"), capability("AcceleratedNetworkingEnabled", flag[s.Cores >= 2]),
		},
		"restrictions": restrictions,
	}
}

// diskSKU is a kind of managed disk in the list.
func diskSKU(name, location string) doc.Object {
	return doc.Object{"resourceType": "disks", "name": name, "tier": diskTier(name), "locations": []any{location}, "locationInfo": locationInfo(location),
		"capabilities": []any{doc.Object{"name": "MaxSizeGiB", "value": strconv.Itoa(maxDiskGB)}}, "restrictions": []any{}}
}

func locationInfo(location string) []any {
	zones := []any{}
	for _, zone := range resources.Zones(location) {
		zones = append(zones, zone)
	}
	return []any{doc.Object{"location": location, "zones": zones, "zoneDetails": []any{}}}
}

// listSizesOf answers the sizes that a machine could have: those that boot its image.
func listSizesOf(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Peek(r.ID)
	if d == nil {
		return nil, arm.NotFound(r.ID)
	}
	image, err := findImage(d.Body.Obj("properties", "storageProfile", "imageReference"))
	if err != nil {
		return nil, err
	}
	rows := []doc.Object{}
	for _, s := range Sizes() {
		if checkBoot(s, image) == nil {
			rows = append(rows, s.row())
		}
	}
	return arm.OK(doc.Object{"value": rows}), nil
}

func (s Size) row() doc.Object {
	return doc.Object{"name": s.Name, "numberOfCores": s.Cores, "osDiskSizeInMB": 1047552,
		"resourceDiskSizeInMB": s.TempDiskMB, "memoryInMB": s.MemoryMB, "maxDataDiskCount": s.DataDisks}
}

func listSizes(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	location := resources.Normalize(r.Params["location"])
	if err := checkLocation("locations/vmSizes", location); err != nil {
		return nil, err
	}
	rows := []doc.Object{}
	for _, s := range Sizes() {
		rows = append(rows, s.row())
	}
	return arm.OK(doc.Object{"value": rows}), nil
}
