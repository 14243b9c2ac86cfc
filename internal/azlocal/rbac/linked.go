package rbac

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// link says that whoever writes a resource which names another one at path needs action
// there too.
type link struct{ path, action string }

const (
	joinSubnet    = "Microsoft.Network/virtualNetworks/subnets/join/action"
	joinNSG       = "Microsoft.Network/networkSecurityGroups/join/action"
	joinPublicIP  = "Microsoft.Network/publicIPAddresses/join/action"
	joinInterface = "Microsoft.Network/networkInterfaces/join/action"

	inlineInterfaces = "properties.networkProfile.networkInterfaceConfigurations[*]."
)

// links are the linked actions of a write. Those of interfaces, subnets and vnets stand in
// the list of provider operations and in pasted errors; that a data disk needs its own
// write is general knowledge.
func links(action string) []link {
	switch strings.ToLower(action) {
	case "microsoft.network/networkinterfaces/write":
		return []link{
			{"properties.networkSecurityGroup.id", joinNSG},
			{"properties.ipConfigurations[*].properties.subnet.id", joinSubnet},
			{"properties.ipConfigurations[*].properties.publicIPAddress.id", joinPublicIP},
		}
	case "microsoft.network/virtualnetworks/subnets/write":
		return subnetLinks("properties.")
	case "microsoft.network/virtualnetworks/write":
		return subnetLinks("properties.subnets[*].properties.")
	case "microsoft.compute/virtualmachines/write":
		return []link{
			{"properties.networkProfile.networkInterfaces[*].id", joinInterface},
			{inlineInterfaces + "properties.networkSecurityGroup.id", joinNSG},
			{inlineInterfaces + "properties.ipConfigurations[*].properties.subnet.id", joinSubnet},
			{"properties.storageProfile.imageReference.id", "Microsoft.Compute/images/read"},
			{"properties.storageProfile.osDisk.managedDisk.id", "Microsoft.Compute/disks/write"},
			{"properties.storageProfile.dataDisks[*].managedDisk.id", "Microsoft.Compute/disks/write"},
		}
	case "microsoft.compute/disks/write":
		return []link{{"properties.creationData.sourceResourceId", "Microsoft.Compute/disks/beginGetAccess/action"}}
	case "microsoft.authorization/roledefinitions/write":
		return []link{{"properties.assignableScopes[*]", "Microsoft.Authorization/roleDefinitions/write"}}
	}
	return nil
}

func subnetLinks(prefix string) []link {
	return []link{
		{prefix + "networkSecurityGroup.id", joinNSG},
		{prefix + "routeTable.id", "Microsoft.Network/routeTables/join/action"},
		{prefix + "natGateway.id", "Microsoft.Network/natGateways/join/action"},
	}
}

// demand is an action that a request needs at another resource than its own.
type demand struct{ path, action, scope string }

// AuthorizeLinked refuses a write by one who may write the resource but may not do with
// those it names what that takes. ARM looks before any resource provider does.
func AuthorizeLinked(t *fabric.Tx, r *arm.Request, action string) error {
	var all []demand
	for _, l := range links(action) {
		for _, at := range find(r.Body, strings.Split(l.path, "."), "") {
			all = append(all, demand{at.path, linkedAction(l.action, at.id), at.id})
		}
	}
	for _, d := range all {
		if err := checkID(t, r, d); err != nil {
			return err
		}
	}
	if strings.EqualFold(action, "Microsoft.Compute/virtualMachines/write") {
		if t.World().Switches.Is(fabric.InlineNetworkRights, "refused") {
			all = append(all, inlineDemands(r.ID, r.Body.List("properties", "networkProfile", "networkInterfaceConfigurations"))...)
		}
		if disk := r.Body.Obj("properties", "storageProfile", "osDisk"); t.World().Switches.Is(fabric.OSDiskRights, "refused") && disk.Str("createOption") == "FromImage" {
			all = append(all, demand{action: "Microsoft.Compute/disks/write", scope: arm.GroupID(r.ID) + "/providers/Microsoft.Compute/disks/" + disk.Str("name")})
		}
	}
	return lacking(t, r.Principal, action, r.ID, all)
}

// AuthorizeInline refuses the making of a machine's inline interfaces by one who may not
// make such things by themselves, where the switch says that Azure finds out only then.
func AuthorizeInline(t *fabric.Tx, p arm.Principal, machine string, configs []doc.Object) error {
	if !t.World().Switches.Is(fabric.InlineNetworkRights, "operation-fails") {
		return nil
	}
	for _, d := range inlineDemands(machine, configs) {
		if err := Authorize(t, p, d.action, d.scope); err != nil {
			return err
		}
	}
	return nil
}

// inlineDemands are the writes that a machine's inline interfaces and addresses stand for.
func inlineDemands(machine string, configs []doc.Object) []demand {
	var out []demand
	network := arm.GroupID(machine) + "/providers/Microsoft.Network/"
	for _, c := range configs {
		out = append(out, demand{action: "Microsoft.Network/networkInterfaces/write", scope: network + "networkInterfaces/" + c.Str("name")})
		for _, ip := range c.List("properties", "ipConfigurations") {
			if address := ip.Obj("properties", "publicIPAddressConfiguration"); address != nil {
				out = append(out, demand{action: "Microsoft.Network/publicIPAddresses/write", scope: network + "publicIPAddresses/" + address.Str("name")})
			}
		}
	}
	return out
}

// lacking puts every demand that p does not meet into one refusal.
func lacking(t *fabric.Tx, p arm.Principal, action, id string, demands []demand) error {
	var actions, scopes []string
	for _, d := range demands {
		if !Can(t, p, d.action, d.scope) && !slices.Contains(scopes, d.scope) {
			actions, scopes = append(actions, d.action), append(scopes, d.scope)
		}
	}
	if len(scopes) == 0 {
		return nil
	}
	return arm.Gatewayf(http.StatusForbidden, "LinkedAuthorizationFailed",
		"The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, it does not have permission to perform action(s) '%s' on the linked scope(s) '%s' (respectively) or the linked scope(s) are invalid.",
		p.AppID, p.ObjectID, action, id, strings.Join(actions, ","), strings.Join(scopes, ","))
}

// checkID refuses what is no id, and what lies in a subscription that nobody here knows.
func checkID(t *fabric.Tx, r *arm.Request, d demand) error {
	seg := arm.Segments(d.scope)
	tenantWide := len(seg) > 1 && strings.EqualFold(seg[0], "providers")
	inSubscription := len(seg) > 1 && strings.EqualFold(seg[0], "subscriptions") && uuid.Validate(seg[1]) == nil
	switch {
	case !strings.HasPrefix(d.scope, "/") || !tenantWide && !inSubscription:
		return arm.Gatewayf(http.StatusBadRequest, "LinkedInvalidPropertyId",
			"Property id '%s' at path '%s' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.", d.scope, d.path)
	case inSubscription && !strings.EqualFold(seg[1], t.World().Subscription):
		return arm.Gatewayf(http.StatusForbidden, "LinkedAuthorizationFailed",
			"The client has permission to perform action '%s' on scope '%s', however the linked subscription '%s' was not found. ", d.action, r.ID, seg[1])
	}
	return nil
}

// linkedAction is the action for an image of a gallery instead of an image, and for a
// snapshot instead of a disk.
func linkedAction(action, id string) string {
	kind := arm.ParseID(id).Type()
	switch {
	case strings.EqualFold(kind, "Microsoft.Compute/galleries/images/versions"), strings.EqualFold(kind, "Microsoft.Compute/galleries/images"):
		return strings.Replace(action, "Microsoft.Compute/images", kind, 1)
	case strings.EqualFold(kind, "Microsoft.Compute/snapshots"):
		return strings.Replace(action, "Microsoft.Compute/disks", kind, 1)
	}
	return action
}

// place is a string in a body and where it stands.
type place struct{ path, id string }

// find returns the strings at a path; [*] stands for each element of an array.
func find(v any, steps []string, at string) []place {
	if len(steps) == 0 {
		if s, ok := v.(string); ok {
			return []place{{at, s}}
		}
		return nil
	}
	name, each := strings.CutSuffix(steps[0], "[*]")
	next := doc.Object{"": v}.Get("", name)
	at = strings.TrimPrefix(at+"."+name, ".")
	if !each {
		return find(next, steps[1:], at)
	}
	elements, _ := next.([]any)
	var out []place
	for i, e := range elements {
		out = append(out, find(e, steps[1:], fmt.Sprintf("%s[%d]", at, i))...)
	}
	return out
}
