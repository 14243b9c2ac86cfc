package network

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// CheckInline refuses, before a machine is accepted, an inline interface that could not
// be made.
func CheckInline(t *fabric.Tx, vm, location string, config doc.Object) error {
	props := config.Obj("properties")
	if _, err := refer(t, vm, location, TypeNSG, props, "networkSecurityGroup"); err != nil {
		return err
	}
	ips := props.List("ipConfigurations")
	if len(ips) == 0 || config.Str("name") == "" {
		return arm.Errorf(http.StatusBadRequest, "InvalidParameter", "Required parameter 'ipConfigurations' or 'name' is missing (null).").About("networkInterfaceConfigurations")
	}
	if err := checkName(TypeInterface, config.Str("name")); err != nil {
		return err
	}
	count := 0
	for _, ip := range ips {
		if err := checkName(typeIPConfiguration, ip.Str("name")); err != nil {
			return err
		}
		if subnet, err := refer(t, vm, location, TypeSubnet, ip.Obj("properties"), "subnet"); err != nil || subnet == nil {
			return cmp.Or(err, missing("", vm))
		}
		inline := ip.Obj("properties", "publicIPAddressConfiguration")
		if inline["sku"] != nil && t.World().Switches.Is(fabric.InlineIPSKU, "refused") {
			return arm.Errorf(http.StatusBadRequest, "InvalidParameter",
				"The value of parameter publicIPAddressConfiguration.sku is invalid.").About("publicIPAddressConfiguration.sku")
		}
		for _, tags := range []doc.Object{config, inline} {
			if _, err := arm.ReadTags(tags); err != nil {
				return err
			}
		}
		if inline != nil {
			if err := checkName(TypePublicIP, inline.Str("name")); err != nil {
				return err
			}
			count++
		}
	}
	if t.World().Switches.Is(fabric.InlineIPQuota, "refused") {
		return checkPublicIPs(t, location, count)
	}
	return nil
}

// MakeInline makes the interface and public IPs that a machine's PUT describes, and
// returns the interface's id. Azure picks the names; how is not documented. A second
// call with the same seed finds them; a machine of the same name made later has another.
func MakeInline(t *fabric.Tx, vm, seed, location string, config doc.Object) (string, error) {
	group := arm.GroupID(vm)
	id := group + "/providers/" + TypeInterface + "/" + inlineName(seed, config.Str("name"))
	if t.Peek(id) != nil {
		return id, nil
	}
	props := config.Obj("properties").Clone()
	props.Drop("deleteOption")
	props.Drop("primary")
	for _, ip := range props.List("ipConfigurations") {
		inline := ip.Obj("properties", "publicIPAddressConfiguration")
		ip.Drop("properties", "publicIPAddressConfiguration")
		if inline == nil {
			continue
		}
		pip := group + "/providers/" + TypePublicIP + "/" + inlineName(seed, inline.Str("name"))
		if err := inlinePublicIP(t, pip, location, inline); err != nil {
			return "", err
		}
		ref := doc.Object{"id": pip}
		if option := inline.Str("properties", "deleteOption"); option != "" {
			ref["properties"] = doc.Object{"deleteOption": option}
		}
		ip.Set(ref, "properties", "publicIPAddress")
	}
	nic := &fabric.Document{ID: id, Body: newBody(id, TypeInterface, location, inlineTags(t, config))}
	if err := shapeInterface(t, nic, props); err != nil {
		return "", err
	}
	t.Put(nic)
	attachPublicIPs(t, nic)
	return id, nil
}

// inlinePublicIP makes a Standard static address, Succeeded at once: the machine's
// operation stands for its own.
func inlinePublicIP(t *fabric.Tx, id, location string, config doc.Object) error {
	if err := checkPublicIPs(t, location, 1); err != nil {
		return err
	}
	d := &fabric.Document{ID: id, Body: newBody(id, TypePublicIP, location, inlineTags(t, config))}
	sku := config.Obj("sku").Clone()
	if sku == nil {
		sku = doc.Object{}
	}
	sku.Default("Standard", "name")
	props := config.Obj("properties").Clone()
	if props == nil {
		props = doc.Object{}
	}
	props.Default("Static", "publicIPAllocationMethod")
	if err := shapePublicIP(t, d, sku, props); err != nil {
		return err
	}
	d.Body.Set(fabric.Succeeded, "properties", "provisioningState")
	giveAddress(t, d)
	t.Put(d)
	return nil
}

func inlineTags(t *fabric.Tx, config doc.Object) map[string]string {
	if t.World().Switches.Is(fabric.InlineTags, "absent") {
		return nil
	}
	return config.Tags("tags")
}

func inlineName(seed, name string) string {
	sum := sha256.Sum256([]byte(seed + "/" + name))
	return fmt.Sprintf("%s-%x", name, sum[:4])
}
