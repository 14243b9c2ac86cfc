package compute

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
)

// checkNetwork refuses interfaces that are missing or taken, and inline ones that could
// not be made.
func checkNetwork(t *fabric.Tx, id, location string, profile doc.Object, size Size) error {
	existing, inline := profile.List("networkInterfaces"), profile.List("networkInterfaceConfigurations")
	switch {
	case len(existing) > 0 && len(inline) > 0:
		return invalid("networkProfile", "The properties networkInterfaces and networkInterfaceConfigurations cannot be given together.")
	case len(existing)+len(inline) == 0:
		return invalid("networkProfile", "The network profile of virtual machine '%s' must have at least one network interface.", arm.Name(id))
	case len(inline) > 0 && profile.Str("networkApiVersion") == "":
		return missing("networkProfile.networkApiVersion")
	case len(existing)+len(inline) > size.interfaces():
		return arm.Errorf(http.StatusBadRequest, "NetworkInterfaceCountExceeded", "The number of network interfaces for virtual machine %s exceeds the maximum allowed for the virtual machine size %s. The number of network interfaces is %d and the maximum allowed is %d.",
			arm.Name(id), size.Name, len(existing)+len(inline), size.interfaces())
	}
	if err := checkPrimary(id, existing, inline); err != nil {
		return err
	}
	for _, n := range existing {
		if err := checkInterface(t, id, location, n); err != nil {
			return err
		}
	}
	for _, c := range inline {
		if err := network.CheckInline(t, id, location, c); err != nil {
			return err
		}
	}
	return nil
}

// checkPrimary wants exactly one primary interface where there are several, each once.
func checkPrimary(id string, existing, inline []doc.Object) error {
	primary, seen := 0, map[string]bool{}
	for _, n := range existing {
		key := arm.Key(n.Str("id"))
		if seen[key] {
			return invalid("networkProfile.networkInterfaces", "The network interface %s is given more than once.", n.Str("id"))
		}
		seen[key] = true
	}
	for _, n := range append(existing[:len(existing):len(existing)], inline...) {
		if n.Bool("properties", "primary") {
			primary++
		}
		if err := checkDeleteOption("networkProfile.networkInterfaces.deleteOption", n.Str("properties", "deleteOption")); err != nil {
			return err
		}
	}
	if primary > 1 || primary == 0 && len(existing)+len(inline) > 1 {
		return arm.Errorf(http.StatusBadRequest, "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary", "Virtual machine %s must have one network interface set as the primary.", arm.Name(id))
	}
	return nil
}

func checkInterface(t *fabric.Tx, id, location string, n doc.Object) error {
	nic := n.Str("id")
	found := t.Peek(nic)
	if found == nil || !strings.EqualFold(arm.ParseID(nic).Type(), network.TypeInterface) || found.Body.Str("location") != location {
		return arm.Errorf(http.StatusBadRequest, "InvalidResourceReference",
			"Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", nic, id)
	}
	if found.Body.Str("properties", "provisioningState") == "Deleting" {
		return network.NotProvisioned(found, id)
	}
	if err := network.CheckReserved(t, found, id); err != nil {
		return err
	}
	for _, user := range t.Referrers(nic) {
		if arm.Key(user) != arm.Key(id) {
			return arm.Errorf(http.StatusBadRequest, "NicInUse", "Network Interface %s is used by existing resource %s. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.", nic, user)
		}
	}
	return nil
}

// updateInterfaces takes over what a write says about interfaces. Others than before need a
// machine that is deallocated (azure-powershell#4565).
func updateInterfaces(t *fabric.Tx, d *fabric.Document, given []doc.Object, size Size) error {
	now := map[string]doc.Object{}
	for _, mine := range interfaces(d) {
		now[arm.Key(mine.Str("id"))] = mine
	}
	fresh, list := len(given) != len(now), []any{}
	for _, n := range given {
		mine := now[arm.Key(n.Str("id"))]
		fresh = fresh || mine == nil
		if mine != nil {
			mine = mine.Clone()
			for key, v := range n.Obj("properties") {
				mine.Set(v, "properties", key)
			}
			n = mine
		}
		list = append(list, n.Clone())
	}
	if fresh && powerOf(d) != Deallocated {
		return arm.Errorf(http.StatusBadRequest, "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported",
			"Virtual machine %s with a single network interface must be stop-deallocated before it can be updated to have multiple network interfaces and vice-versa.", d.ID)
	}
	profile := doc.Object{"networkInterfaces": list}
	if err := checkNetwork(t, d.ID, d.Body.Str("location"), profile, size); err != nil {
		return err
	}
	d.Body.Set(list, "properties", "networkProfile", "networkInterfaces")
	return nil
}
