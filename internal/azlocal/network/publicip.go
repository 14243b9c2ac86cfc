package network

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func putPublicIP(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, _, err := envelope(t, r, TypePublicIP)
	if err != nil {
		return nil, err
	}
	if t.Peek(d.ID) == nil {
		if err := checkPublicIPs(t, d.Body.Str("location"), 1); err != nil {
			return nil, err
		}
	}
	if err := shapePublicIP(t, d, r.Body.Obj("sku"), r.Body.Obj("properties")); err != nil {
		return nil, err
	}
	if zones := r.Body.Strings("zones"); len(zones) > 0 {
		if d.Body.Str("sku", "name") == "Basic" { // bosh-azure-cpi-release#608
			return nil, arm.Errorf(http.StatusBadRequest, "ZonesNotAllowedInBasicSkuResource",
				"Zones not allowed in basic SKU resource %s in this region. Please use standard SKU.", d.ID)
		}
		d.Body["zones"] = r.Body["zones"]
	}
	return store(t, r, d, d.Body.Str("location"), 1, true), nil
}

// shapePublicIP gives a public IP its properties; the address comes when it settles.
func shapePublicIP(t *fabric.Tx, d *fabric.Document, sku, given doc.Object) error {
	props, old := d.Body.Obj("properties"), t.Peek(d.ID)
	for key, v := range given {
		if v != nil && !oneOf(key, "provisioningState", "resourceGuid", "ipAddress", "ipConfiguration", "deleteOption") {
			props[key] = v
		}
	}
	name, err := publicIPSKU(d, old, sku)
	if err != nil {
		return err
	}
	method := "Dynamic"
	if name == "Standard" {
		method = "Static"
	}
	props.Default("IPv4", "publicIPAddressVersion")
	props.Default(method, "publicIPAllocationMethod")
	props.Default(float64(4), "idleTimeoutInMinutes")
	props.Default([]any{}, "ipTags")
	if name == "Standard" && props.Str("publicIPAllocationMethod") != "Static" { // azure-docs#42889
		return arm.Errorf(http.StatusBadRequest, "StandardSkuPublicIPAddressesMustBeStatic",
			"Standard sku publicIp %s must have AllocationMethod set to Static.", d.ID)
	}
	if err := checkDNS(t, d); err != nil {
		return err
	}
	tier := sku.Str("tier")
	if tier == "" {
		tier = "Regional"
	}
	d.Body["sku"] = doc.Object{"name": name, "tier": tier}
	if old != nil && old.Body.Str("properties", "ipAddress") != "" {
		props["ipAddress"] = old.Body.Str("properties", "ipAddress")
	}
	return nil
}

// publicIPSKU is the SKU that was asked for, Basic unless said. It can be raised while nothing has the
// address, never lowered (azure-cli#12570, #17482; what the codes are is not known).
func publicIPSKU(d, old *fabric.Document, sku doc.Object) (string, error) {
	name := sku.Str("name")
	switch {
	case name == "":
		name = "Basic"
	case !oneOf(name, "Basic", "Standard"):
		return "", arm.Errorf(http.StatusBadRequest, "InvalidSku", "The SKU name '%s' of public IP address %s is not valid.", name, d.ID)
	}
	if old == nil {
		return name, nil
	}
	if was := old.Body.Str("sku", "name"); was == "Standard" && name == "Basic" {
		return "", arm.Errorf(http.StatusBadRequest, "PublicIPAddressSkuCannotBeChanged",
			"Sku property is set at creation time and cannot be changed from %s to %s on resource update for resource %s.", was, name, d.ID)
	}
	return name, nil
}

// checkDNS completes the DNS settings of an address; a label is one address's in a region.
func checkDNS(t *fabric.Tx, d *fabric.Document) error {
	settings := d.Body.Obj("properties", "dnsSettings")
	label := settings.Str("domainNameLabel")
	if label == "" {
		return nil
	}
	if !domainLabel.MatchString(label) {
		return arm.Errorf(http.StatusBadRequest, "InvalidDomainNameLabel",
			"The domain name label %s is invalid. It must conform to the following regular expression: %s.", label, domainLabel)
	}
	name := label + "." + d.Body.Str("location") + ".cloudapp.azure.com"
	for _, user := range t.Referrers(dnsKey(name)) {
		if arm.Key(user) != arm.Key(d.ID) {
			return arm.Errorf(http.StatusBadRequest, "DnsRecordInUse", "DNS record %s is already used by another public IP.", name)
		}
	}
	settings["fqdn"] = name
	return nil
}

var domainLabel = regexp.MustCompile(`^[a-z][a-z0-9-]{1,61}[a-z0-9]$`)

func dnsKey(name string) string { return "dns:" + name }

// giveAddress allocates the address of a public IP: at once for a static one, when it is
// attached for a dynamic one. When the instance has no more it stays without.
func giveAddress(t *fabric.Tx, d *fabric.Document) {
	props := d.Body.Obj("properties")
	attached := t.Referred(d.ID) > 0
	if props.Str("ipAddress") == "" && (props.Str("publicIPAllocationMethod") == "Static" || attached) {
		if addr, ok := allocate(t); ok {
			props["ipAddress"] = addr.String()
		}
	}
}

// allocate picks a free address of the instance's range, at random, so that an address
// does not come back at once when its owner is gone. ok is false when all are taken.
func allocate(t *fabric.Tx) (addr netip.Addr, ok bool) {
	public := t.World().Public
	free := func(addr netip.Addr) bool {
		last := addr.As4()[3]
		return last != 0 && last != 255 && t.Referred(addressKey(addr.String())) == 0
	}
	for range 1000 {
		a := public.Addr().As4()
		for i := public.Bits() / 8; i < 4; i++ {
			a[i] = byte(rand.IntN(256)) //nolint:gosec // addresses are no secret
		}
		if addr = netip.AddrFrom4(a); free(addr) {
			return addr, true
		}
	}
	for addr = public.Masked().Addr(); public.Contains(addr); addr = addr.Next() {
		if free(addr) {
			return addr, true
		}
	}
	return netip.Addr{}, false
}

func addressKey(addr string) string { return "address:" + addr }

func publicIPRefs(d *fabric.Document) []fabric.Ref {
	var out []fabric.Ref
	if a := d.Body.Str("properties", "ipAddress"); a != "" {
		out = append(out, fabric.Ref{From: d.ID, To: addressKey(a)})
	}
	if name := d.Body.Str("properties", "dnsSettings", "fqdn"); name != "" {
		out = append(out, fabric.Ref{From: d.ID, To: dnsKey(name)})
	}
	return out
}

func renderPublicIP(t *fabric.Tx, d *fabric.Document) doc.Object {
	users := t.Referrers(d.ID)
	if len(users) == 0 {
		return d.Body
	}
	body := d.Body.Clone()
	body.Set(doc.Object{"id": users[0]}, "properties", "ipConfiguration")
	if nic := t.Peek(arm.Parent(users[0])); nic != nil {
		for _, c := range nic.Body.List("properties", "ipConfigurations") {
			if option := addressOption(c); option != "" && arm.Key(c.Str("id")) == arm.Key(users[0]) {
				body.Set(option, "properties", "deleteOption")
			}
		}
	}
	return body
}

func removePublicIP(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	if users := t.Referrers(d.ID); len(users) > 0 {
		return "", arm.Errorf(http.StatusBadRequest, "PublicIPAddressCannotBeDeleted",
			"Public IP address %s can not be deleted since it is still allocated to resource %s. In order to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how to do this, see aka.ms/deletepublicip.",
			d.ID, strings.Join(users, ", "))
	}
	return remove(t, d, jobAddressOff, opt), nil
}
