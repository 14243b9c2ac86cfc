package network

import (
	"net/http"
	"net/netip"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// claims are what a write gives to the ip configurations of an interface before it is
// stored: keys of addresses, with who gets them.
type claims map[string]string

func (c claims) by(key string) []string {
	if user, ok := c[key]; ok {
		return []string{user}
	}
	return nil
}

// takeStatic claims the private addresses that a write asks for.
func takeStatic(nic string, configs []doc.Object) (claims, error) {
	taken := claims{}
	for _, c := range configs {
		want := staticAddress(c.Obj("properties"))
		if want == "" {
			continue
		}
		id, key := nic+"/ipConfigurations/"+c.Str("name"), privateKey(c.Str("properties", "subnet", "id"), want)
		if user := taken[key]; user != "" {
			return nil, allocated(id, want, user)
		}
		taken[key] = id
	}
	return taken, nil
}

// staticAddress is the address that an ip configuration asks for, "" for any.
func staticAddress(props doc.Object) string {
	if strings.EqualFold(props.Str("privateIPAllocationMethod"), "Static") {
		return props.Str("privateIPAddress")
	}
	return ""
}

// privateAddress takes the address that an ip configuration asks for, keeps the one it has, or
// finds the first free one.
func privateAddress(t *fabric.Tx, subnet *fabric.Document, id string, props doc.Object, taken claims) (string, error) {
	if want := staticAddress(props); want != "" {
		return want, checkPrivate(t, subnet, id, want)
	}
	if old := t.Peek(arm.Parent(id)); old != nil {
		for _, c := range old.Body.List("properties", "ipConfigurations") {
			if arm.Key(c.Str("id")) == arm.Key(id) && arm.Key(c.Str("properties", "subnet", "id")) == arm.Key(subnet.ID) {
				return c.Str("properties", "privateIPAddress"), nil
			}
		}
	}
	prefix := subnetPrefix(subnet)
	first := firstUsable(prefix)
	// In a subnet of thousands all of the first addresses are taken, as a rule: begin behind.
	begin := first
	if users := t.Referred(subnet.ID); users >= manyUsers {
		begin = ahead(first, users)
	}
	take := func(a netip.Addr) bool {
		key := privateKey(subnet.ID, a.String())
		if t.Referred(key) > 0 || taken[key] != "" {
			return false
		}
		taken[key] = id
		return true
	}
	for a := begin; prefix.Contains(a.Next()); a = a.Next() {
		if take(a) {
			return a.String(), nil
		}
	}
	for a := first; a.Less(begin) && prefix.Contains(a.Next()); a = a.Next() {
		if take(a) {
			return a.String(), nil
		}
	}
	return "", arm.Errorf(http.StatusBadRequest, "SubnetIsFull", "Subnet %s with address prefix %s does not have enough capacity for 1 IP addresses.", subnet.ID, prefix)
}

// checkPrivate refuses an address that is outside the subnet, Azure's own or somebody else's.
func checkPrivate(t *fabric.Tx, subnet *fabric.Document, id, want string) error {
	prefix := subnetPrefix(subnet)
	a, err := netip.ParseAddr(want)
	switch {
	case err != nil || !prefix.Contains(a):
		return arm.Errorf(http.StatusBadRequest, "PrivateIPAddressNotInSubnet",
			"Private static IP address %s does not belong to the range of subnet prefix %s.", want, prefix)
	case isReserved(prefix, a): // terraform-provider-azurerm#4225
		return arm.Errorf(http.StatusBadRequest, "PrivateIPAddressInReservedRange",
			"Private static IP address %s falls within reserved IP range of subnet prefix %s.", want, prefix)
	}
	if user := owner(t, subnet, a); user != "" && arm.Key(user) != arm.Key(id) { // acs-engine-terraform#10
		return allocated(id, want, user)
	}
	return nil
}

func allocated(id, want, user string) error {
	return arm.Errorf(http.StatusBadRequest, "PrivateIPAddressIsAllocated",
		"IP configuration %s is using the private IP address %s which is already allocated to resource %s.", id, want, arm.Parent(user))
}

// owner is the ip configuration that has an address, "" when it is free.
func owner(t *fabric.Tx, subnet *fabric.Document, a netip.Addr) string {
	if users := t.Referrers(privateKey(subnet.ID, a.String())); len(users) > 0 {
		return users[0]
	}
	return ""
}

// firstUsable is the fifth address of a prefix: Azure keeps the first four and the last.
func firstUsable(prefix netip.Prefix) netip.Addr {
	a := prefix.Masked().Addr()
	for range 4 {
		a = a.Next()
	}
	return a
}

func isReserved(prefix netip.Prefix, a netip.Addr) bool {
	return a.Less(firstUsable(prefix)) || !prefix.Contains(a.Next())
}

// manyUsers is from how many users on a subnet is not searched from its beginning.
const manyUsers = 256

func ahead(a netip.Addr, n int) netip.Addr {
	for range n {
		a = a.Next()
	}
	return a
}
