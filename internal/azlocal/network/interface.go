package network

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func putInterface(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, _, err := envelope(t, r, TypeInterface)
	if err != nil {
		return nil, err
	}
	for _, c := range r.Body.List("properties", "ipConfigurations") {
		if vnet := arm.Parent(c.Str("properties", "subnet", "id")); arm.ParseID(vnet).Type() == TypeVNet {
			if err := vnetFree(t, r, vnet); err != nil {
				return nil, err
			}
		}
	}
	if err := shapeInterface(t, d, r.Body.Obj("properties")); err != nil {
		return nil, err
	}
	status := http.StatusCreated
	if t.Peek(d.ID) != nil {
		status = http.StatusOK
	}
	t.Put(d)
	attachPublicIPs(t, d)
	op := t.Begin(fabric.Operation{Job: jobNIC, Target: d.ID, Family: fabric.NetworkFamily, Location: d.Body.Str("location"), Principal: r.Principal})
	body := t.Render(t.Peek(d.ID))
	return t.Accepted(r, op, fabric.Async{Status: status, Body: body, Async: true, Notify: true}), nil
}

// shapeInterface gives an interface its properties and private addresses. It is Succeeded
// from the first answer on, as recorded.
func shapeInterface(t *fabric.Tx, d *fabric.Document, given doc.Object) error {
	props := d.Body.Obj("properties")
	for key, v := range given {
		if v != nil && !oneOf(key, "provisioningState", "resourceGuid", "ipConfigurations", "macAddress", "virtualMachine", "primary") {
			props[key] = v
		}
	}
	if _, err := refer(t, d.ID, d.Body.Str("location"), TypeNSG, given, "networkSecurityGroup"); err != nil {
		return err
	}
	taken, err := takeStatic(d.ID, given.List("ipConfigurations"))
	if err != nil {
		return err
	}
	configs := []any{}
	for i, c := range given.List("ipConfigurations") {
		config, err := shapeIPConfiguration(t, d, c, taken, i == 0)
		if err != nil {
			return err
		}
		configs = append(configs, config)
	}
	if len(configs) == 0 {
		return arm.Errorf(http.StatusBadRequest, "NetworkInterfaceMustHaveAtleastOneIpConfiguration", "Network interface %s must have at least one IP configuration.", d.ID)
	}
	props["provisioningState"], props["ipConfigurations"] = fabric.Succeeded, configs
	props.Default(doc.Object{"dnsServers": []any{}, "appliedDnsServers": []any{}, "internalDomainNameSuffix": domainSuffix(d.ID)}, "dnsSettings")
	for _, key := range []string{"enableAcceleratedNetworking", "vnetEncryptionSupported", "enableIPForwarding", "disableTcpStateTracking"} {
		props.Default(false, key)
	}
	for _, key := range []string{"hostedWorkloads", "tapConfigurations"} {
		props.Default([]any{}, key)
	}
	props.Default(true, "allowPort25Out")
	props.Default("Standard", "nicType")
	d.Body["kind"] = "Regular"
	return nil
}

func shapeIPConfiguration(t *fabric.Tx, nic *fabric.Document, given doc.Object, taken claims, first bool) (doc.Object, error) {
	if err := checkName(typeIPConfiguration, given.Str("name")); err != nil {
		return nil, err
	}
	id := nic.ID + "/ipConfigurations/" + given.Str("name")
	location, props := nic.Body.Str("location"), given.Obj("properties").Clone()
	subnet, err := refer(t, nic.ID, location, TypeSubnet, props, "subnet")
	if err != nil {
		return nil, err
	}
	if subnet == nil {
		return nil, arm.Errorf(http.StatusBadRequest, "SubnetIsRequired", "IP configuration %s must reference a subnet.", id)
	}
	pip, err := refer(t, nic.ID, location, TypePublicIP, props, "publicIPAddress")
	if err != nil {
		return nil, err
	}
	if err := checkUnattached(t, pip, id, taken); err != nil {
		return nil, err
	}
	addr, err := privateAddress(t, subnet, id, props, taken)
	if err != nil {
		return nil, err
	}
	props["provisioningState"], props["privateIPAddress"] = fabric.Succeeded, addr
	props.Default("Dynamic", "privateIPAllocationMethod")
	props.Default("IPv4", "privateIPAddressVersion")
	props.Default(first, "primary")
	props["subnet"] = doc.Object{"id": props.Str("subnet", "id")}
	return doc.Object{"name": given.Str("name"), "id": id, "type": typeIPConfiguration, "properties": props}, nil
}

// checkUnattached refuses a public address that another ip configuration has.
func checkUnattached(t *fabric.Tx, pip *fabric.Document, config string, taken claims) error {
	if pip == nil {
		return nil
	}
	for _, user := range append(t.Referrers(pip.ID), taken.by(arm.Key(pip.ID))...) {
		if arm.Key(user) != arm.Key(config) {
			return arm.Errorf(http.StatusBadRequest, "PublicIPAddressInUse",
				"Resource %s is referencing public IP address %s that is already allocated to resource %s.", config, pip.ID, user)
		}
	}
	taken[arm.Key(pip.ID)] = config
	return nil
}

func privateKey(subnet, addr string) string { return "private:" + addr + "@" + arm.Key(subnet) }

// attachPublicIPs gives dynamic addresses to what is attached now.
func attachPublicIPs(t *fabric.Tx, nic *fabric.Document) {
	for _, c := range nic.Body.List("properties", "ipConfigurations") {
		pip := t.Get(c.Str("properties", "publicIPAddress", "id"))
		if pip == nil {
			continue
		}
		if pip.Body.Str("properties", "provisioningState") == fabric.Succeeded {
			giveAddress(t, pip)
		}
		t.Put(pip)
	}
}

func interfaceRefs(d *fabric.Document) []fabric.Ref {
	var out []fabric.Ref
	if nsg := d.Body.Str("properties", "networkSecurityGroup", "id"); nsg != "" {
		out = append(out, fabric.Ref{From: d.ID, To: nsg})
	}
	for _, c := range d.Body.List("properties", "ipConfigurations") {
		id, props := c.Str("id"), c.Obj("properties")
		subnet := props.Str("subnet", "id")
		out = append(out, fabric.Ref{From: id, To: subnet}, fabric.Ref{From: id, To: privateKey(subnet, props.Str("privateIPAddress"))})
		if pip := props.Str("publicIPAddress", "id"); pip != "" {
			out = append(out, fabric.Ref{From: id, To: pip})
		}
	}
	return out
}

// renderInterface adds what only an attached interface has.
func renderInterface(t *fabric.Tx, d *fabric.Document) doc.Object {
	body := d.Body.Clone()
	for _, c := range body.List("properties", "ipConfigurations") {
		c["etag"] = body["etag"]
	}
	users := t.Referrers(d.ID)
	if len(users) == 0 {
		return body
	}
	body.Set(MAC(d.ID), "properties", "macAddress")
	body.Set(true, "properties", "primary")
	body.Set(doc.Object{"id": users[0]}, "properties", "virtualMachine")
	return body
}

// MAC is the hardware address of an interface, in Azure's spelling and range.
func MAC(id string) string {
	sum := sha256.Sum256([]byte(arm.Key(id)))
	return fmt.Sprintf("00-0D-3A-%02X-%02X-%02X", sum[0], sum[1], sum[2])
}

func domainSuffix(id string) string {
	sum := sha256.Sum256([]byte(arm.Key(arm.GroupID(id))))
	return fmt.Sprintf("%x.bx.internal.cloudapp.net", sum[:13])
}

func removeInterface(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	if users := t.Referrers(d.ID); len(users) > 0 {
		return "", arm.Errorf(http.StatusBadRequest, "NicInUse",
			"Network Interface %s is used by existing resource %s. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
			d.ID, strings.Join(users, ", "))
	}
	if err := CheckReserved(t, d, ""); err != nil {
		return "", err
	}
	return remove(t, d, jobNICOff, opt), nil
}

// addressOption is what becomes of the public address of an ip configuration when its
// interface goes: the option lies there, not at the address (documentation: delete).
func addressOption(config doc.Object) string {
	return config.Str("properties", "publicIPAddress", "properties", "deleteOption")
}

// interfaceGone ends the deletion of an interface; public IPs that are to go with it go
// next.
func interfaceGone(t *fabric.Tx, op fabric.Operation, err error) {
	if err != nil {
		fail(t, op.Target)
		return
	}
	d := t.Peek(op.Target)
	if d == nil {
		return
	}
	t.Delete(d.ID)
	for _, c := range d.Body.List("properties", "ipConfigurations") {
		pip := t.Get(c.Str("properties", "publicIPAddress", "id"))
		if pip != nil && strings.EqualFold(addressOption(c), "Delete") {
			if _, err := t.RemovePart(pip, fabric.RemoveOptions{Principal: op.Principal}); err != nil {
				t.World().Log.Warn("an interface's address was not deleted", "address", pip.ID, "cause", err)
			}
		}
	}
}
