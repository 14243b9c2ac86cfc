package network

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

type handler = func(*fabric.Tx, *arm.Request) (*arm.Response, error)

// putNSG replaces a security group and all its rules.
func putNSG(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, props, err := envelope(t, r, TypeNSG)
	if err != nil {
		return nil, err
	}
	if flush := r.Body.Get("properties", "flushConnection"); flush != nil {
		props["flushConnection"] = flush
	}
	for _, old := range t.List(TypeRule, r.ID) {
		t.Delete(old.ID)
	}
	for _, rule := range r.Body.List("properties", "securityRules") {
		if err := storeRule(t, r.ID, rule.Str("name"), rule.Obj("properties")); err != nil {
			return nil, err
		}
	}
	return store(t, r, d, d.Body.Str("location"), 3, true), nil
}

func renderNSG(t *fabric.Tx, d *fabric.Document) doc.Object {
	body := d.Body.Clone()
	rules := []any{}
	for _, rule := range t.List(TypeRule, d.ID) {
		rules = append(rules, withFamilyTag(t, rule))
	}
	body.Set(rules, "properties", "securityRules")
	body.Set(defaultRules(d), "properties", "defaultSecurityRules")
	var subnets, interfaces []string
	for _, user := range t.Referrers(d.ID) {
		if arm.ParseID(user).Type() == TypeSubnet {
			subnets = append(subnets, user)
		} else {
			interfaces = append(interfaces, user)
		}
	}
	if len(subnets) > 0 {
		body.Set(idList(subnets), "properties", "subnets")
	}
	if len(interfaces) > 0 {
		body.Set(idList(interfaces), "properties", "networkInterfaces")
	}
	return body
}

func removeNSG(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	if users := t.Referrers(d.ID); len(users) > 0 {
		return "", arm.Errorf(http.StatusBadRequest, "InUseNetworkSecurityGroupCannotBeDeleted",
			"Network security group %s cannot be deleted because it is in use by the following resources: %s. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
			d.ID, strings.Join(users, ", "))
	}
	return remove(t, d, jobRemove, opt), nil
}

func defaultRules(nsg *fabric.Document) []any {
	type rule struct {
		name, text, from, to, access, direction string
		priority                                int
	}
	out := []any{}
	for _, r := range []rule{
		{"AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", "Inbound", 65000},
		{"AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer", "AzureLoadBalancer", "*", "Allow", "Inbound", 65001},
		{"DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", "Inbound", 65500},
		{"AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", "Outbound", 65000},
		{"AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "Internet", "Allow", "Outbound", 65001},
		{"DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", "Outbound", 65500},
	} {
		out = append(out, doc.Object{
			"name": r.name, "id": nsg.ID + "/defaultSecurityRules/" + r.name, "etag": nsg.Body["etag"], "type": TypeNSG + "/defaultSecurityRules",
			"properties": doc.Object{
				"provisioningState": fabric.Succeeded, "description": r.text, "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*",
				"sourceAddressPrefix": r.from, "destinationAddressPrefix": r.to, "access": r.access, "priority": float64(r.priority), "direction": r.direction,
				"sourcePortRanges": []any{}, "destinationPortRanges": []any{}, "sourceAddressPrefixes": []any{}, "destinationAddressPrefixes": []any{},
			},
		})
	}
	return out
}
