package network

import (
	"net/http"
	"net/netip"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func putVNet(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, props, err := envelope(t, r, TypeVNet)
	if err != nil {
		return nil, err
	}
	if err := vnetFree(t, r, r.ID); err != nil {
		return nil, err
	}
	given := r.Body.Obj("properties")
	prefixes, err := parsePrefixes(r.ID, given.Strings("addressSpace", "addressPrefixes"))
	if err != nil {
		return nil, err
	}
	if len(prefixes) == 0 {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidAddressSpace", "A virtual network needs at least one address prefix.")
	}
	for key, v := range given {
		if key != "subnets" && key != "provisioningState" && key != "resourceGuid" && v != nil {
			props[key] = v
		}
	}
	props.Default([]any{}, "virtualNetworkPeerings")
	props.Default(false, "enableDdosProtection")
	if err := replaceSubnets(t, d, prefixes, given.List("subnets")); err != nil {
		return nil, err
	}
	return store(t, r, d, d.Body.Str("location"), 3, true), nil
}

// replaceSubnets makes a vnet's subnets those of the PUT. A PUT without subnets removes
// them all, which fails while one is in use: a trap of the real Azure.
func replaceSubnets(t *fabric.Tx, vnet *fabric.Document, space []netip.Prefix, given []doc.Object) error {
	keep := map[string]bool{}
	for _, s := range given {
		keep[arm.Key(vnet.ID+"/subnets/"+s.Str("name"))] = true
	}
	for _, s := range t.List(TypeSubnet, vnet.ID) {
		if keep[arm.Key(s.ID)] {
			continue
		}
		if err := subnetInUse(t, s); err != nil {
			return err
		}
		t.Delete(s.ID)
	}
	written := []subnetRange{}
	for _, s := range given {
		ranges, err := storeSubnet(t, vnet, s.Str("name"), space, written, s.Obj("properties"))
		if err != nil {
			return err
		}
		written = append(written, ranges...)
	}
	return nil
}

func renderVNet(t *fabric.Tx, d *fabric.Document) doc.Object {
	subnets := []any{}
	for _, s := range t.List(TypeSubnet, d.ID) {
		subnets = append(subnets, renderSubnet(t, s))
	}
	body := d.Body.Clone()
	body.Set(subnets, "properties", "subnets")
	return body
}

func removeVNet(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	for _, s := range t.List(TypeSubnet, d.ID) {
		if err := subnetInUse(t, s); err != nil {
			return "", err
		}
	}
	return remove(t, d, jobRemove, opt), nil
}

// parsePrefixes reads CIDRs of a resource.
func parsePrefixes(id string, texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range texts {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, arm.Errorf(http.StatusBadRequest, "InvalidAddressPrefixFormat",
				"Address prefix %s of resource %s is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.", s, id)
		}
		if p.Masked() != p {
			return nil, arm.Errorf(http.StatusBadRequest, "InvalidCIDRNotation",
				"The address prefix %s in resource %s has an invalid CIDR notation. For the given prefix length, the address prefix should be %s.", s, id, p.Masked())
		}
		out = append(out, p)
	}
	return out, nil
}
