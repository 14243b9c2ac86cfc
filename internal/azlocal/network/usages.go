package network

import (
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// Limits of a subscription in one region; generous, so that ten thousand machines fit.
const limitPublicIPs = 20000

func usages(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	used := 0
	for _, d := range t.List(TypePublicIP, "/subscriptions/"+r.Params["sub"]) {
		if d.Body.Str("location") == r.Params["location"] {
			used++
		}
	}
	rows := []doc.Object{}
	for _, name := range [][2]string{{"PublicIPAddresses", "Public IP Addresses"}, {"StandardSkuPublicIpAddresses", "Public IPv4 Addresses - Standard"}} {
		rows = append(rows, doc.Object{"unit": "Count", "currentValue": used, "limit": limitPublicIPs,
			"name": doc.Object{"value": name[0], "localizedValue": name[1]}})
	}
	return arm.OK(doc.Object{"value": rows}), nil
}
