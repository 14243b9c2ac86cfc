package chaos

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"mngr/e2e/rig"
)

// scene is one attempt's world and its operator, whose home is new.
type scene struct {
	*world
	who   *rig.Operator
	known []string // names of agents whose creation was acknowledged, and that nobody destroyed
	vms   []string // ids of the machines that were made for it, in order
}

// create begins a host as a user does who does not wait, and lets Azure finish its machine.
func (s *scene) create(ctx context.Context, name string) error {
	if err := s.who.Must(ctx, nil, createArgs(name)...); err != nil {
		return err
	}
	s.known = append(s.known, name)
	st, err := s.settled(ctx)
	if err != nil {
		return err
	}
	for _, vm := range st.VMs {
		if !slices.Contains(s.vms, vm.ID) {
			s.vms = append(s.vms, vm.ID)
		}
	}
	return nil
}

func createArgs(name string) []string {
	return []string{"create", name, "--provider", rig.Provider, "--transfer", "none", "--no-wait", "--", "true"}
}

// finished makes a host that nobody has to finish: one that says of no keys, as those of
// the original, so that commands know without asking it that they may not enter.
func (s *scene) finished(ctx context.Context, name string) error {
	if err := s.create(ctx, name); err != nil {
		return err
	}
	return s.tag(ctx, s.vms[len(s.vms)-1], "Delete", map[string]string{"mngr-host-keys": ""})
}

// deallocated makes a finished host that is off.
func (s *scene) deallocated(ctx context.Context, name string) error {
	if err := s.finished(ctx, name); err != nil {
		return err
	}
	return s.who.Must(ctx, nil, "stop", name)
}

// failed makes a host whose machine never came to be.
func (s *scene) failed(ctx context.Context, name string) error {
	if _, err := s.azure.AddFault(ctx, rig.Fault{On: "Microsoft.Compute/virtualMachines/write", Effect: "operation-fails", Code: "AllocationFailed", Times: 1}); err != nil {
		return err
	}
	if err := s.create(ctx, name); err != nil {
		return err
	}
	return s.azure.ClearFaults(ctx)
}

// leftovers plants one thing of each kind that gc knows, an hour old, beside an unfinished
// host of the same age: an interface, an address, a disk, and the role assignment of a
// machine that is gone.
func (s *scene) leftovers(ctx context.Context) error {
	if err := s.create(ctx, "gone"); err != nil {
		return err
	}
	tags := map[string]string{
		"managed-by": "mngr", "mngr-provider": rig.Provider, "mngr-host-id": "host-0123456789abcdef0123456789abcdef",
		"mngr-created-at": "2026-01-01T00:00:00.000000+00:00",
	}
	type object = map[string]any
	for _, part := range []struct {
		kind, version string
		body          object
	}{
		{"Network/networkInterfaces/mngr-left-0a0b0c0d-nic", networkAPI, object{"properties": object{"ipConfigurations": []object{{
			"name": "a", "properties": object{"subnet": object{"id": group + "/providers/Microsoft.Network/virtualNetworks/mngr-vnet/subnets/mngr-subnet"}}}}}}},
		{"Network/publicIPAddresses/mngr-left-0a0b0c0d-ip", networkAPI, object{"sku": object{"name": "Standard"}, "properties": object{"publicIPAllocationMethod": "Static"}}},
		{"Compute/disks/mngr-left-0a0b0c0d-os", diskAPI, object{"sku": object{"name": "StandardSSD_LRS"}, "properties": object{"creationData": object{"createOption": "Empty"}, "diskSizeGB": 30}}},
	} {
		part.body["location"], part.body["tags"] = region, tags
		if err := s.send(ctx, http.MethodPut, group+"/providers/Microsoft."+part.kind, part.version, part.body, nil); err != nil {
			return err
		}
	}
	// The machine goes without a destroy, and its assignment stays.
	if err := s.send(ctx, http.MethodDelete, s.vms[0], computeAPI, nil, nil); err != nil {
		return err
	}
	s.known, s.vms = nil, nil
	if err := s.vanished(ctx, "mngr-gone-"); err != nil {
		return err
	}
	if err := s.create(ctx, "unfinished"); err != nil {
		return err
	}
	s.known = nil // gc takes it
	return s.older(ctx)
}

// vanished waits until no machine and no part has a name that begins so.
func (s *scene) vanished(ctx context.Context, prefix string) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		all, err := s.belongings(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(r resource) bool { return strings.HasPrefix(r.Name, prefix) }) {
			return nil
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("%s stays: %w", prefix, err)
		}
	}
}
