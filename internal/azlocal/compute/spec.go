package compute

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/network"
)

// machineKey is the driver's name of a machine.
func machineKey(id, vmID string) string {
	sum := sha256.Sum256([]byte(arm.Key(id) + "/" + vmID))
	return hex.EncodeToString(sum[:6])
}

// describe is what a driver must know of a machine; ok is false when it is gone.
func (p *Provider) describe(id string) (spec machine.Spec, rules []machine.Rule, ok bool) {
	p.world.View(func(t *fabric.Tx) {
		if d := t.Peek(id); d != nil {
			spec, rules, ok = specOf(t, d), network.Effective(t, firstInterface(d)), true
			spec.CustomData = customDataOf(t, d)
		}
	})
	return spec, rules, ok
}

func specOf(t *fabric.Tx, d *fabric.Document) machine.Spec {
	props := d.Body.Obj("properties")
	profile, image := props.Obj("osProfile"), props.Obj("storageProfile", "imageReference")
	size, _ := findSize(props.Str("hardwareProfile", "vmSize"))
	spec := machine.Spec{
		Key: d.Hidden.Str("key"), Name: d.Body.Str("name"), VMID: props.Str("vmId"),
		ComputerName: profile.Str("computerName"), AdminUsername: profile.Str("adminUsername"),
		Image: machine.Image{Publisher: image.Str("publisher"), Offer: image.Str("offer"), SKU: image.Str("sku"), Version: image.Str("exactVersion")},
		Cores: size.Cores, MemoryMB: size.MemoryMB, DiskGB: props.Int("storageProfile", "osDisk", "diskSizeGB"),
	}
	for _, key := range profile.List("linuxConfiguration", "ssh", "publicKeys") {
		spec.AdminKeys = append(spec.AdminKeys, key.Str("keyData"))
	}
	addresses(t, d, &spec)
	return spec
}

// customData is the name of the text that a machine's document does not hold: it is large,
// and only a guest that boots for the first time needs it.
const customData = "customData"

func customDataOf(t *fabric.Tx, d *fabric.Document) []byte {
	data, _ := base64.StdEncoding.DecodeString(customDataText(t, d)) // checked when it was accepted
	return data
}

func customDataText(t *fabric.Tx, d *fabric.Document) string {
	if text := t.Kept(d.ID, customData); text != "" {
		return text
	}
	return d.Hidden.Str(customData) // as it was stored in earlier versions
}

// addresses fills in what the machine's first interface has.
func addresses(t *fabric.Tx, d *fabric.Document, spec *machine.Spec) {
	nic := t.Peek(firstInterface(d))
	if nic == nil {
		return
	}
	spec.MAC = network.MAC(nic.ID)
	configs := nic.Body.List("properties", "ipConfigurations")
	if len(configs) == 0 {
		return
	}
	c := configs[0]
	spec.PrivateIP, _ = netip.ParseAddr(c.Str("properties", "privateIPAddress"))
	if subnet := t.Peek(c.Str("properties", "subnet", "id")); subnet != nil {
		// Two networks may have the same prefix, and machines of both the same address.
		spec.Network, _, _ = strings.Cut(strings.ToLower(subnet.ID), "/subnets/")
		spec.Subnet, _ = netip.ParsePrefix(subnet.Body.Str("properties", "addressPrefix"))
		if all := subnet.Body.Strings("properties", "addressPrefixes"); !spec.Subnet.IsValid() && len(all) > 0 {
			spec.Subnet, _ = netip.ParsePrefix(all[0])
		}
	}
	if pip := t.Peek(c.Str("properties", "publicIPAddress", "id")); pip != nil {
		spec.PublicIP, _ = netip.ParseAddr(pip.Body.Str("properties", "ipAddress"))
	}
}

// interfaces lists the interfaces of a machine with their options.
func interfaces(d *fabric.Document) []doc.Object {
	return d.Body.List("properties", "networkProfile", "networkInterfaces")
}

// firstInterface is the primary interface's id, "" while there is none.
func firstInterface(d *fabric.Document) string {
	list := interfaces(d)
	for _, n := range list {
		if n.Bool("properties", "primary") {
			return n.Str("id")
		}
	}
	if len(list) > 0 {
		return list[0].Str("id")
	}
	return ""
}

// Addresses is the part of a machine's spec that tells its addresses.
func Addresses(t *fabric.Tx, d *fabric.Document) machine.Spec {
	var spec machine.Spec
	addresses(t, d, &spec)
	return spec
}
