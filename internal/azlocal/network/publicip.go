package network

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
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
	if zones := r.Body["zones"]; zones != nil {
		d.Body["zones"] = zones
	}
	return store(t, r, d, d.Body.Str("location"), 1, true), nil
}

// shapePublicIP gives a public IP its properties; the address comes when it settles.
func shapePublicIP(t *fabric.Tx, d *fabric.Document, sku, given doc.Object) error {
	props := d.Body.Obj("properties")
	for key, v := range given {
		if !oneOf(key, "provisioningState", "resourceGuid", "ipAddress", "ipConfiguration") {
			props[key] = v
		}
	}
	name := sku.Str("name")
	if name == "" {
		name = "Basic"
	}
	if !oneOf(name, "Basic", "Standard") {
		return arm.Errorf(http.StatusBadRequest, "InvalidSku", "The SKU name '%s' of public IP address %s is not valid.", name, d.ID)
	}
	method := "Dynamic"
	if name == "Standard" {
		method = "Static"
	}
	props.Default("IPv4", "publicIPAddressVersion")
	props.Default(method, "publicIPAllocationMethod")
	props.Default(float64(4), "idleTimeoutInMinutes")
	props.Default([]any{}, "ipTags")
	if name == "Standard" && props.Str("publicIPAllocationMethod") != "Static" {
		return arm.Errorf(http.StatusBadRequest, "PublicIPAllocationMethodNotSupported",
			"Standard sku publicIp %s must have AllocationMethod set to Static.", d.ID)
	}
	tier := sku.Str("tier")
	if tier == "" {
		tier = "Regional"
	}
	d.Body["sku"] = doc.Object{"name": name, "tier": tier}
	if old := t.Peek(d.ID); old != nil && old.Body.Str("properties", "ipAddress") != "" {
		props["ipAddress"] = old.Body.Str("properties", "ipAddress")
	}
	return nil
}

// giveAddress allocates the address of a public IP: at once for a static one, when it is
// attached for a dynamic one.
func giveAddress(t *fabric.Tx, d *fabric.Document) {
	props := d.Body.Obj("properties")
	attached := t.Referred(d.ID)
	if props.Str("ipAddress") == "" && (props.Str("publicIPAllocationMethod") == "Static" || attached) {
		props["ipAddress"] = allocate(t).String()
	}
}

// allocate picks a free address of the instance's range, at random, so that an address
// does not come back at once when its owner is gone.
func allocate(t *fabric.Tx) netip.Addr {
	base := t.World().Public.Addr().As4()
	for {
		a := base
		for i := t.World().Public.Bits() / 8; i < 4; i++ {
			a[i] = byte(rand.IntN(256))
		}
		addr := netip.AddrFrom4(a)
		if a[3] != 0 && a[3] != 255 && !t.Referred(addressKey(addr.String())) {
			return addr
		}
	}
}

func addressKey(addr string) string { return "address:" + addr }

func publicIPRefs(d *fabric.Document) []fabric.Ref {
	if a := d.Body.Str("properties", "ipAddress"); a != "" {
		return []fabric.Ref{{From: d.ID, To: addressKey(a)}}
	}
	return nil
}

func renderPublicIP(t *fabric.Tx, d *fabric.Document) doc.Object {
	users := t.Referrers(d.ID)
	if len(users) == 0 {
		return d.Body
	}
	body := d.Body.Clone()
	body.Set(doc.Object{"id": users[0]}, "properties", "ipConfiguration")
	return body
}

func removePublicIP(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	if users := t.Referrers(d.ID); len(users) > 0 {
		return "", arm.Errorf(http.StatusBadRequest, "PublicIPAddressCannotBeDeleted",
			"Public IP address %s can not be deleted since it is still allocated to resource %s. In order to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how to do this, see aka.ms/deletepublicip.",
			d.ID, strings.Join(users, ", "))
	}
	return remove(t, d, jobRemove, opt), nil
}
