package imds

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
)

// instance is the whole document. Every value is a string; what a machine does not have
// is "".
func instance(t *fabric.Tx, d *fabric.Document) doc.Object {
	return doc.Object{"compute": computeNode(d), "network": doc.Object{"interface": interfacesNode(t, d)}}
}

func computeNode(d *fabric.Document) doc.Object {
	id, props := arm.ParseID(d.ID), d.Body.Obj("properties")
	image := props.Obj("storageProfile", "imageReference")
	tags := d.Tags()
	pairs, list := []string{}, []any{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		pairs, list = append(pairs, k+":"+tags[k]), append(list, doc.Object{"name": k, "value": tags[k]})
	}
	keys := []any{}
	for _, k := range props.List("osProfile", "linuxConfiguration", "ssh", "publicKeys") {
		keys = append(keys, doc.Object{"keyData": k.Str("keyData"), "path": k.Str("path")})
	}
	return doc.Object{
		"azEnvironment": "AzurePublicCloud", "customData": "", "evictionPolicy": props.Str("evictionPolicy"), "extendedLocation": doc.Object{"name": "", "type": ""},
		"isHostCompatibilityLayerVm": "false", "isVmInStandbyPool": "", "licenseType": "", "location": d.Body.Str("location"), "name": d.Body.Str("name"),
		"offer": image.Str("offer"), "publisher": image.Str("publisher"), "sku": image.Str("sku"), "version": image.Str("exactVersion"),
		"osProfile": doc.Object{"adminUsername": props.Str("osProfile", "adminUsername"), "computerName": props.Str("osProfile", "computerName"),
			"disablePasswordAuthentication": fmt.Sprint(props.Bool("osProfile", "linuxConfiguration", "disablePasswordAuthentication"))},
		"osType": "Linux", "placementGroupId": "", "plan": doc.Object{"name": "", "product": "", "publisher": ""},
		"platformFaultDomain": "0", "platformUpdateDomain": "0", "platformSubFaultDomain": "", "priority": props.Str("priority"), "provider": "Microsoft.Compute",
		"publicKeys": keys, "resourceGroupName": id.Group, "resourceId": d.ID, "subscriptionId": id.Subscription,
		"securityProfile": doc.Object{"secureBootEnabled": "false", "virtualTpmEnabled": "false", "encryptionAtHost": "false", "securityType": ""},
		"storageProfile":  storageNode(props, image), "tags": strings.Join(pairs, ";"), "tagsList": list, "userData": d.Hidden.Str("userData"),
		"virtualMachineScaleSet": doc.Object{"id": ""}, "vmId": props.Str("vmId"), "vmScaleSetName": "", "vmSize": props.Str("hardwareProfile", "vmSize"), "zone": strings.Join(d.Body.Strings("zones"), ""),
	}
}

func storageNode(props, image doc.Object) doc.Object {
	disk := props.Obj("storageProfile", "osDisk")
	data := []any{}
	for _, one := range props.List("storageProfile", "dataDisks") {
		data = append(data, doc.Object{"lun": fmt.Sprint(one.Int("lun")), "name": one.Str("name"), "createOption": one.Str("createOption"), "caching": one.Str("caching"),
			"diskSizeGB": fmt.Sprint(one.Int("diskSizeGB")), "managedDisk": doc.Object{"id": one.Str("managedDisk", "id"), "storageAccountType": one.Str("managedDisk", "storageAccountType")},
			"image": doc.Object{"uri": ""}, "vhd": doc.Object{"uri": ""}, "writeAcceleratorEnabled": fmt.Sprint(one.Bool("writeAcceleratorEnabled"))})
	}
	return doc.Object{"dataDisks": data,
		"imageReference": doc.Object{"id": "", "offer": image.Str("offer"), "publisher": image.Str("publisher"), "sku": image.Str("sku"), "version": image.Str("version")},
		"osDisk": doc.Object{"caching": disk.Str("caching"), "createOption": disk.Str("createOption"), "diskSizeGB": fmt.Sprint(disk.Int("diskSizeGB")),
			"managedDisk": doc.Object{"id": disk.Str("managedDisk", "id"), "storageAccountType": disk.Str("managedDisk", "storageAccountType")}, "name": disk.Str("name"), "osType": "Linux",
			"vhd": doc.Object{"uri": ""}, "image": doc.Object{"uri": ""}, "writeAcceleratorEnabled": "false", "encryptionSettings": doc.Object{"enabled": "false"}, "diffDiskSettings": doc.Object{"option": ""}},
		"resourceDisk": doc.Object{"size": "0"}}
}

// interfacesNode lists addresses. A Standard public IP does not show here.
func interfacesNode(t *fabric.Tx, d *fabric.Document) []any {
	out := []any{}
	for _, n := range d.Body.List("properties", "networkProfile", "networkInterfaces") {
		nic := t.Peek(n.Str("id"))
		if nic == nil {
			continue
		}
		addresses, subnets := []any{}, []any{}
		for _, c := range nic.Body.List("properties", "ipConfigurations") {
			public := ""
			if pip := t.Peek(c.Str("properties", "publicIPAddress", "id")); pip != nil && pip.Body.Str("sku", "name") != "Standard" {
				public = pip.Body.Str("properties", "ipAddress")
			}
			addresses = append(addresses, doc.Object{"privateIpAddress": c.Str("properties", "privateIPAddress"), "publicIpAddress": public})
			if s := t.Peek(c.Str("properties", "subnet", "id")); s != nil {
				address, prefix, _ := strings.Cut(s.Body.Str("properties", "addressPrefix"), "/")
				subnets = append(subnets, doc.Object{"address": address, "prefix": prefix})
			}
		}
		out = append(out, doc.Object{"ipv4": doc.Object{"ipAddress": addresses, "subnet": subnets}, "ipv6": doc.Object{"ipAddress": []any{}},
			"macAddress": strings.ReplaceAll(network.MAC(nic.ID), "-", "")})
	}
	return out
}

// loadBalancer is where the address of a Standard public IP shows.
func (h *Handler) loadBalancer(d *fabric.Document) doc.Object {
	rows := []any{}
	h.World.View(func(t *fabric.Tx) {
		spec := compute.Addresses(t, d)
		if spec.PublicIP.IsValid() {
			rows = append(rows, doc.Object{"frontendIpAddress": spec.PublicIP.String(), "privateIpAddress": spec.PrivateIP.String()})
		}
	})
	return doc.Object{"loadbalancer": doc.Object{"publicIpAddresses": rows, "inboundRules": []any{}, "outboundRules": []any{}}}
}
