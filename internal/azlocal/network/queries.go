package network

import (
	"net/http"
	"net/netip"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// vnetUsages tells how many addresses of each subnet are in use ("Virtual Networks - List
// Usage").
func vnetUsages(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if t.Peek(r.ID) == nil {
		return nil, arm.NotFound(r.ID)
	}
	rows := []doc.Object{}
	for _, s := range t.List(TypeSubnet, r.ID) {
		used := 0
		for range allocations(t, s) {
			used++
		}
		rows = append(rows, doc.Object{"id": s.ID, "unit": "Count", "currentValue": used, "limit": capacity(subnetPrefix(s)),
			"name": doc.Object{"value": "SubnetSpace", "localizedValue": "Subnet size and usage"}})
	}
	return arm.List(r, rows), nil
}

// capacity is how many addresses of a prefix can be used: Azure keeps five.
func capacity(p netip.Prefix) int {
	if !p.IsValid() {
		return 0
	}
	return max(1<<min(p.Addr().BitLen()-p.Bits(), 30)-5, 0)
}

// checkAddress tells whether a private address is free, and some that are ("Virtual Networks -
// Check IP Address Availability").
func checkAddress(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if t.Peek(r.ID) == nil {
		return nil, arm.NotFound(r.ID)
	}
	text := r.Query.Get("ipAddress")
	a, err := netip.ParseAddr(text)
	if err != nil {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidIPAddressFormat", "IP address %s is not formatted correctly.", text)
	}
	for _, s := range t.List(TypeSubnet, r.ID) {
		prefix := subnetPrefix(s)
		if !prefix.Contains(a) {
			continue
		}
		if !isReserved(prefix, a) && owner(t, s, a) == "" {
			return arm.OK(doc.Object{"available": true, "availableIPAddresses": []any{}, "isPlatformReserved": false}), nil
		}
		return arm.OK(doc.Object{"available": false, "availableIPAddresses": someFree(t, s, prefix), "isPlatformReserved": isReserved(prefix, a)}), nil
	}
	return nil, arm.Errorf(http.StatusBadRequest, "PrivateIPAddressNotInAnySubnet",
		"Private static IP address %s does not belong to the range of any subnet in the virtual network %s.", text, r.ID)
}

// someFree lists five free addresses, as many as Azure does (azure-libraries-for-net#1073).
func someFree(t *fabric.Tx, subnet *fabric.Document, prefix netip.Prefix) []any {
	out := []any{}
	for a := firstUsable(prefix); len(out) < 5 && prefix.Contains(a.Next()); a = a.Next() {
		if owner(t, subnet, a) == "" {
			out = append(out, a.String())
		}
	}
	return out
}

// checkDNSName tells whether a label is free in a region.
func checkDNSName(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	label := r.Query.Get("domainNameLabel")
	name := label + "." + resources.Normalize(r.Params["location"]) + ".cloudapp.azure.com"
	return arm.OK(doc.Object{"available": domainLabel.MatchString(label) && len(t.Referrers(dnsKey(name))) == 0}), nil
}

// serviceTags lists the tags whose addresses exist here: AzureCloud is where public addresses
// come from.
func serviceTags(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	value := func(name, region string) doc.Object {
		return doc.Object{"name": name, "id": name, "serviceTagChangeNumber": "1", "properties": doc.Object{
			"changeNumber": "1", "region": region, "state": "GA", "systemService": "", "networkFeatures": []any{"API", "NSG"},
			"addressPrefixes": []any{t.World().Public.String()}}}
	}
	region := resources.Normalize(r.Params["location"])
	return arm.OK(doc.Object{"name": "Public", "id": "/subscriptions/" + r.Params["sub"] + "/providers/Microsoft.Network/serviceTags/Public",
		"type": "Microsoft.Network/serviceTags", "changeNumber": "1", "cloud": "Public",
		"values": []doc.Object{value("AzureCloud", ""), value("AzureCloud."+region, region)}}), nil
}

// part answers lists and members of what is inside a document: the default rules of a group, the
// ip configurations of an interface.
func part(rows func(t *fabric.Tx, parent *fabric.Document) []any) (list, get handler) {
	find := func(t *fabric.Tx, parent string) ([]doc.Object, error) {
		d := t.Peek(parent)
		if d == nil {
			return nil, arm.NotFound(parent)
		}
		var out []doc.Object
		for _, row := range rows(t, d) {
			out = append(out, row.(doc.Object))
		}
		return out, nil
	}
	list = func(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
		all, err := find(t, arm.Parent(r.ID+"/x"))
		if err != nil {
			return nil, err
		}
		return arm.List(r, all), nil
	}
	get = func(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
		all, err := find(t, arm.Parent(r.ID))
		if err != nil {
			return nil, err
		}
		for _, row := range all {
			if strings.EqualFold(row.Str("name"), r.Params["name"]) {
				return arm.OK(row).Set("ETag", row.Str("etag")), nil
			}
		}
		return nil, arm.NotFound(r.ID)
	}
	return list, get
}

func configurationsOf(t *fabric.Tx, nic *fabric.Document) []any {
	var out []any
	for _, c := range renderInterface(t, nic).List("properties", "ipConfigurations") {
		out = append(out, c)
	}
	return out
}
