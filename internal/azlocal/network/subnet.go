package network

import (
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func putSubnet(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	vnet, existed, err := checkChild(t, r)
	if err != nil {
		return nil, err
	}
	if err := vnetFree(t, r, vnet.ID); err != nil {
		return nil, err
	}
	space, err := parsePrefixes(vnet.ID, vnet.Body.Strings("properties", "addressSpace", "addressPrefixes"))
	if err != nil {
		return nil, err
	}
	if _, err := storeSubnet(t, vnet, arm.Name(r.ID), space, siblings(t, r.ID), r.Body.Obj("properties")); err != nil {
		return nil, err
	}
	touch(t, r.ID)
	resp := store(t, r, t.Get(r.ID), vnet.Body.Str("location"), 3, false)
	if !existed {
		resp.Status = http.StatusCreated
	}
	return resp, nil
}

// subnetRange is a prefix of a subnet.
type subnetRange struct {
	subnet string
	prefix netip.Prefix
}

// siblings are the ranges of a network's other subnets.
func siblings(t *fabric.Tx, id string) []subnetRange {
	var out []subnetRange
	for _, s := range t.List(TypeSubnet, arm.Parent(id)) {
		if arm.Key(s.ID) == arm.Key(id) {
			continue
		}
		for _, text := range prefixTexts(s.Body.Obj("properties")) {
			if p, err := netip.ParsePrefix(text); err == nil {
				out = append(out, subnetRange{s.ID, p})
			}
		}
	}
	return out
}

func prefixTexts(props doc.Object) []string {
	return nonEmpty(props.Strings("addressPrefixes"), props.Str("addressPrefix"))
}

// storeSubnet checks and writes a subnet, whose state is then Updating, and returns its
// ranges. others are the ranges that it must keep clear of.
func storeSubnet(t *fabric.Tx, vnet *fabric.Document, name string, space []netip.Prefix, others []subnetRange, given doc.Object) ([]subnetRange, error) {
	if err := checkName(TypeSubnet, name); err != nil {
		return nil, err
	}
	id := t.Spell(vnet.ID + "/subnets/" + name)
	prefixes, err := parsePrefixes(id, prefixTexts(given))
	if err != nil {
		return nil, err
	}
	if len(prefixes) == 0 {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidAddressPrefixFormat", "Address prefix  of resource %s is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.", id)
	}
	var ranges []subnetRange
	for _, p := range prefixes {
		if err := checkRange(id, p, space, others); err != nil {
			return nil, err
		}
		ranges = append(ranges, subnetRange{id, p})
	}
	if err := checkAllocations(t, id, prefixes); err != nil {
		return nil, err
	}
	if _, err := refer(t, id, vnet.Body.Str("location"), TypeNSG, given, "networkSecurityGroup"); err != nil {
		return nil, err
	}
	props := doc.Object{"provisioningState": "Updating"}
	for key, v := range given {
		if key != "provisioningState" && key != "ipConfigurations" && v != nil {
			props[key] = v
		}
	}
	props.Default([]any{}, "delegations")
	props.Default("Disabled", "privateEndpointNetworkPolicies")
	props.Default("Enabled", "privateLinkServiceNetworkPolicies")
	t.Put(&fabric.Document{ID: id, Body: doc.Object{"name": arm.Name(id), "id": id, "properties": props, "type": TypeSubnet}})
	return ranges, nil
}

// checkRange refuses a range that Azure keeps no five addresses of free in, that is outside the
// network or overlaps with another subnet.
func checkRange(id string, p netip.Prefix, space []netip.Prefix, others []subnetRange) error {
	subnet, vnet := arm.Name(id), arm.Name(arm.Parent(id))
	inside := slices.ContainsFunc(space, func(s netip.Prefix) bool { return s.Contains(p.Addr()) && s.Bits() <= p.Bits() })
	switch {
	case p.Addr().Is4() && p.Bits() > 29:
		return arm.Errorf(http.StatusBadRequest, "NetcfgInvalidSubnet", "Subnet '%s' is not valid in virtual network '%s'.", subnet, vnet)
	case !inside:
		return arm.Errorf(http.StatusBadRequest, "NetcfgSubnetRangeOutsideVnet",
			"Subnet '%s' is not valid because its IP address range is outside the IP address range of virtual network '%s'.", subnet, vnet)
	}
	for _, other := range others {
		if other.prefix.Overlaps(p) {
			return arm.Errorf(http.StatusBadRequest, "NetcfgSubnetRangesOverlap",
				"Subnet '%s' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '%s'.", subnet, vnet)
		}
	}
	return nil
}

// checkAllocations refuses to take a prefix from a subnet while an address of it is in use.
func checkAllocations(t *fabric.Tx, id string, prefixes []netip.Prefix) error {
	old := t.Peek(id)
	if old == nil {
		return nil
	}
	for a := range allocations(t, old) {
		if slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
			continue
		}
		return arm.Errorf(http.StatusBadRequest, "InUsePrefixCannotBeDeleted", "IpPrefix %s on Subnet %s has active allocations and cannot be deleted.",
			subnetPrefix(old), arm.Name(id))
	}
	return nil
}

// allocations yields the private addresses that are in use in a subnet, each with the ip
// configuration that has it.
func allocations(t *fabric.Tx, subnet *fabric.Document) iter.Seq2[netip.Addr, string] {
	return func(yield func(netip.Addr, string) bool) {
		for _, config := range t.Referrers(subnet.ID) {
			nic := t.Peek(arm.Parent(config))
			if nic == nil {
				continue
			}
			for _, c := range nic.Body.List("properties", "ipConfigurations") {
				a, err := netip.ParseAddr(c.Str("properties", "privateIPAddress"))
				if err == nil && arm.Key(c.Str("id")) == arm.Key(config) && !yield(a, config) {
					return
				}
			}
		}
	}
}

// subnetPrefix is the first IPv4 prefix of a stored subnet.
func subnetPrefix(d *fabric.Document) netip.Prefix {
	for _, s := range prefixTexts(d.Body.Obj("properties")) {
		if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is4() {
			return p
		}
	}
	return netip.Prefix{}
}

func subnetRefs(d *fabric.Document) []fabric.Ref {
	if nsg := d.Body.Str("properties", "networkSecurityGroup", "id"); nsg != "" {
		return []fabric.Ref{{From: d.ID, To: nsg}}
	}
	return nil
}

func renderSubnet(t *fabric.Tx, d *fabric.Document) doc.Object {
	body, users := withFamilyTag(t, d), t.Referrers(d.ID)
	if len(users) == 0 {
		return body
	}
	body.Set(idList(users), "properties", "ipConfigurations")
	return body
}

func subnetInUse(t *fabric.Tx, d *fabric.Document) error {
	if users := t.Referrers(d.ID); len(users) > 0 {
		return arm.Errorf(http.StatusBadRequest, "InUseSubnetCannotBeDeleted",
			"Subnet %s is in use by %s and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
			d.Body.Str("name"), strings.Join(users, ", "))
	}
	return nil
}

func removeSubnet(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	if err := subnetInUse(t, d); err != nil {
		return "", err
	}
	return remove(t, d, jobRemove, opt), nil
}
