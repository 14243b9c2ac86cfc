package azurecheck

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Versions of the API that the questions are about.
const (
	computeVersion = "2024-07-01"
	networkVersion = "2024-05-01"
	tagsVersion    = "2021-04-01"
	rolesVersion   = "2022-04-01"
)

// probe is the machine on which questions are asked. Its tags are those of a host, so
// that `mngr list` shows it and `mngr gc --tag` removes it.
type probe struct {
	c         *arm
	group     string // id of the resource group
	name      string
	id        string
	region    string
	size      string
	cores     int
	publisher string
	offer     string
	tags      map[string]string

	put       answer // to the request that made it
	principal string
	nics      []string
}

func newProbe(c *arm, group, region, tagTime, provider string) *probe {
	host := randomHex(16)
	p := &probe{c: c, group: group, name: "mngr-probe-" + host[:8], region: region, size: "Standard_B2s", cores: 2,
		publisher: "Debian", offer: "debian-12"}
	p.id = group + "/providers/Microsoft.Compute/virtualMachines/" + p.name
	p.tags = map[string]string{
		"managed-by": "mngr", "mngr-provider": provider, "mngr-host-id": "host-" + host, "mngr-host-name": "mngr-probe",
		"mngr-created-at": time.Now().UTC().Format(time.RFC3339), tagName: tagTime,
	}
	return p
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// publicKey is an SSH key whose private half nobody has.
func publicKey() string {
	key, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		return ""
	}
	part := func(b []byte) string { return string([]byte{0, 0, 0, byte(len(b))}) + string(b) } //nolint:gosec // a name or a key of 32 bytes
	const kind = "ssh-ed25519"
	return kind + " " + base64.StdEncoding.EncodeToString([]byte(part([]byte(kind))+part(key)))
}

type object = map[string]any

// body asks for the machine as mngr does, with interface and address inline.
func (p *probe) body(address object) object {
	ip := object{"name": "a", "properties": object{"primary": true,
		"subnet": object{"id": p.group + "/providers/Microsoft.Network/virtualNetworks/mngr-vnet/subnets/mngr-subnet"}}}
	if address != nil {
		ip["properties"].(object)["publicIPAddressConfiguration"] = address
	}
	return object{
		"location": p.region, "tags": p.tags, "identity": object{"type": "SystemAssigned"},
		"properties": object{
			"hardwareProfile": object{"vmSize": p.size},
			"storageProfile": object{
				"imageReference": object{"publisher": p.publisher, "offer": p.offer, "sku": "12-gen2", "version": "latest"},
				"osDisk": object{"name": p.name + "-os", "createOption": "FromImage", "deleteOption": "Delete",
					"managedDisk": object{"storageAccountType": "StandardSSD_LRS"}},
			},
			"osProfile": object{"computerName": p.name, "adminUsername": "azureuser", "linuxConfiguration": object{
				"disablePasswordAuthentication": true,
				"ssh":                           object{"publicKeys": []object{{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": publicKey()}}}}},
			"networkProfile": object{"networkApiVersion": "2020-11-01", "networkInterfaceConfigurations": []object{{
				"name": p.name + "-nic", "tags": p.tags,
				"properties": object{"primary": true, "deleteOption": "Delete", "ipConfigurations": []object{ip}}}}},
		},
	}
}

func (p *probe) address(sku bool) object {
	a := object{"name": p.name + "-ip", "tags": p.tags, "properties": object{
		"deleteOption": "Delete", "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"}}
	if sku {
		a["sku"] = object{"name": "Standard", "tier": "Regional"}
	}
	return a
}

// make asks for the machine, and answers the first question by how it went.
func (p *probe) make(ctx context.Context) (Finding, error) {
	f := Finding{Switch: "inline-ip-sku", Question: "a VM PUT whose inline public IP names a SKU"}
	a, err := p.c.send(ctx, http.MethodPut, p.id, computeVersion, p.body(p.address(true)))
	if err != nil {
		return f, err
	}
	p.put, f.Evidence = a, "PUT virtualMachines: "+a.String()
	switch {
	case a.ok():
		f.Answer = "accepted"
		return f, nil
	case a.status != http.StatusBadRequest || !strings.Contains(strings.ToLower(string(a.raw)), "publicipaddressconfiguration"):
		return f, fmt.Errorf("make the probe machine: %s", a)
	}
	f.Answer = "refused"
	for _, address := range []object{p.address(false), nil} {
		if p.put, err = p.c.send(ctx, http.MethodPut, p.id, computeVersion, p.body(address)); err != nil || p.put.ok() {
			return f, err
		}
	}
	return f, fmt.Errorf("make the probe machine without a SKU: %s", p.put)
}

// machine is what the questions read of a machine.
type machine struct {
	Identity   struct{ PrincipalID string }
	Properties struct {
		ProvisioningState string
		NetworkProfile    struct{ NetworkInterfaces []struct{ ID string } }
	}
}

// enoughLooks is how often a machine that is being made must have been seen without an
// interface before its absence is an answer.
const enoughLooks = 3

// settle waits until the machine is made, and tells from when on its interface was named;
// no answer where the machine was made too fast to tell.
func (p *probe) settle(ctx context.Context) (Finding, error) {
	f := Finding{Switch: "inline-nic-ids", Question: "when networkProfile.networkInterfaces names an inline NIC"}
	a, without := p.put, 0
	for {
		var m machine
		if err := a.into(&m); err != nil {
			return f, err
		}
		state, nics := m.Properties.ProvisioningState, m.Properties.NetworkProfile.NetworkInterfaces
		switch {
		case state == "Failed" || state == "Canceled":
			return f, errors.New("the probe machine could not be made: provisioningState " + state)
		case len(nics) == 0:
			without++
		case state != "Succeeded":
			if f.Answer == "" {
				f.Answer, f.Evidence = "while-creating", fmt.Sprintf("named in provisioningState %s, after %d looks", state, without)
			}
		default:
			if f.Evidence == "" {
				f.Evidence = fmt.Sprintf("named in provisioningState Succeeded, and not in %d looks before", without)
				if without >= enoughLooks {
					f.Answer = "when-succeeded"
				}
			}
			p.principal = m.Identity.PrincipalID
			for _, n := range nics {
				p.nics = append(p.nics, n.ID)
			}
			return f, nil
		}
		if err := p.c.pause(ctx); err != nil {
			return f, err
		}
		var err error
		if a, err = p.c.send(ctx, http.MethodGet, p.id, computeVersion, nil); err != nil {
			return f, err
		}
	}
}
