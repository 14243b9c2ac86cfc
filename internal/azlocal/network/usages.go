package network

import (
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// limitPublicIPs is the name of the limit of public IP addresses in a region.
const limitPublicIPs = "publicIPs"

// Limits are the limits of network by name, with their defaults: generous, so that ten
// thousand machines fit.
func Limits() map[string]int { return map[string]int{limitPublicIPs: 20000} }

func usages(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	location := resources.Normalize(r.Params["location"])
	used, limit := countPublicIPs(t, location), t.World().Settings.Limit(limitPublicIPs, location)
	rows := []doc.Object{}
	for _, name := range [][2]string{{"PublicIPAddresses", "Public IP Addresses"}, {"StaticPublicIPAddresses", "Static Public IP Addresses"},
		{"StandardSkuPublicIpAddresses", "Public IPv4 Addresses - Standard"}} {
		rows = append(rows, doc.Object{"unit": "Count", "currentValue": used, "limit": limit,
			"name": doc.Object{"value": name[0], "localizedValue": name[1]}})
	}
	return arm.OK(doc.Object{"value": rows}), nil
}

// countPublicIP is what an address counts for: one in its region.
func countPublicIP(d *fabric.Document) []fabric.Count {
	return []fabric.Count{{Name: publicIPsIn(d.Body.Str("location")), N: 1}}
}

func publicIPsIn(location string) string { return limitPublicIPs + "/" + location }

func countPublicIPs(t *fabric.Tx, location string) int { return t.Count(publicIPsIn(location)) }

// checkPublicIPs refuses count more addresses in a region when they would pass the limit.
func checkPublicIPs(t *fabric.Tx, location string, count int) error {
	limit := t.World().Settings.Limit(limitPublicIPs, location)
	if countPublicIPs(t, location)+count <= limit {
		return nil
	}
	return arm.Errorf(http.StatusBadRequest, "PublicIPCountLimitReached",
		"Cannot create more than %d public IP addresses for this subscription in this region.", limit)
}
