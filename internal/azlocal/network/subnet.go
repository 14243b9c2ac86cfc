package network

import (
	"net/http"
	"net/netip"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func putSubnet(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	vnet := t.Peek(arm.Parent(r.ID))
	if vnet == nil {
		return nil, arm.Gatewayf(http.StatusNotFound, "ParentResourceNotFound",
			"Failed to perform 'write' on resource(s) of type 'virtualNetworks/subnets', because the parent resource '%s' could not be found.", arm.Parent(r.ID))
	}
	if err := vnetFree(t, vnet, r); err != nil {
		return nil, err
	}
	space, err := parsePrefixes(vnet.Body.Strings("properties", "addressSpace", "addressPrefixes"))
	if err != nil {
		return nil, err
	}
	etag := ""
	if old := t.Peek(r.ID); old != nil {
		etag = old.Body.Str("etag")
	}
	if err := arm.CheckMatch(r, r.ID, etag); err != nil {
		return nil, err
	}
	existed := etag != ""
	if err := storeSubnet(t, r.ID, space, r.Body.Obj("properties")); err != nil {
		return nil, err
	}
	resp := store(t, r, t.Get(r.ID), vnet.Body.Str("location"), 3, false)
	if !existed {
		resp.Status = http.StatusCreated
	}
	return resp, nil
}

// vnetFree refuses a second write into a vnet while one runs.
func vnetFree(t *fabric.Tx, vnet *fabric.Document, r *arm.Request) error {
	ids := []string{vnet.ID}
	for _, s := range t.List(TypeSubnet, vnet.ID) {
		ids = append(ids, s.ID)
	}
	for _, id := range ids {
		if op := t.Busy(id); op != nil {
			return arm.Errorf(http.StatusConflict, "AnotherOperationInProgress",
				"Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: %s/subscriptions/%s/providers/Microsoft.Network/locations/%s/operations/%s?api-version=%s.",
				r.Origin, op.Subscription, op.Location, op.ID, r.APIVersion)
		}
	}
	return nil
}

// storeSubnet checks and writes a subnet; its state is Updating.
func storeSubnet(t *fabric.Tx, id string, space []netip.Prefix, given doc.Object) error {
	texts := given.Strings("addressPrefixes")
	if p := given.Str("addressPrefix"); p != "" {
		texts = []string{p}
	}
	prefixes, err := parsePrefixes(texts)
	if err != nil {
		return err
	}
	if len(prefixes) == 0 {
		return arm.Errorf(http.StatusBadRequest, "InvalidAddressPrefixFormat", "The subnet %s has no address prefix.", arm.Name(id))
	}
	for _, p := range prefixes {
		if err := checkRange(t, id, p, space); err != nil {
			return err
		}
	}
	if nsg := given.Str("networkSecurityGroup", "id"); nsg != "" && t.Peek(nsg) == nil {
		return missing(nsg, id)
	}
	props := doc.Object{"provisioningState": "Updating"}
	for key, v := range given {
		if key != "provisioningState" && key != "ipConfigurations" {
			props[key] = v
		}
	}
	props.Default([]any{}, "delegations")
	props.Default("Disabled", "privateEndpointNetworkPolicies")
	props.Default("Enabled", "privateLinkServiceNetworkPolicies")
	t.Put(&fabric.Document{ID: id, Body: doc.Object{"name": arm.Name(id), "id": id, "properties": props, "type": TypeSubnet}})
	return nil
}

func checkRange(t *fabric.Tx, id string, p netip.Prefix, space []netip.Prefix) error {
	inside := false
	for _, s := range space {
		inside = inside || s.Contains(p.Addr()) && s.Bits() <= p.Bits()
	}
	if !inside {
		return arm.Errorf(http.StatusBadRequest, "NetcfgSubnetRangeOutsideVnet",
			"Subnet '%s' is not valid because its IP address range is outside the IP address range of virtual network '%s'.", arm.Name(id), arm.Name(arm.Parent(id)))
	}
	for _, s := range t.List(TypeSubnet, arm.Parent(id)) {
		if arm.Key(s.ID) != arm.Key(id) && subnetPrefix(s).Overlaps(p) {
			return arm.Errorf(http.StatusBadRequest, "NetcfgSubnetRangesOverlap",
				"Subnet '%s' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '%s'.", arm.Name(id), arm.Name(arm.Parent(id)))
		}
	}
	return nil
}

// subnetPrefix is the first IPv4 prefix of a stored subnet.
func subnetPrefix(d *fabric.Document) netip.Prefix {
	texts := append(d.Body.Strings("properties", "addressPrefixes"), d.Body.Str("properties", "addressPrefix"))
	for _, s := range texts {
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
	users := t.Referrers(d.ID)
	if len(users) == 0 {
		return d.Body
	}
	body := d.Body.Clone()
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
