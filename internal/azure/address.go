package azure

import (
	"context"
	"net/netip"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"mngr/internal/agent"
)

// Address waits until the machine's public address is known. It does not wait for the
// machine's operation, which ends a minute after the address answers.
func (c *Creation) Address(ctx context.Context) (address string, err error) {
	limit, done := agent.Within(ctx, agent.DeadlineAddress, "waiting for the address of machine "+c.name)
	defer done(&err)
	for {
		address, err := c.lookForAddress(limit)
		if err != nil {
			return "", c.scene().translate(err, "create machine "+c.name)
		}
		if address != "" {
			return address, nil
		}
		if err := pause(limit, c.p.settings.PollInterval); err != nil {
			return "", c.p.translate(err, "find the address of machine "+c.name)
		}
	}
}

// lookForAddress takes two ways, because Azure need not show the interface on the machine
// before the operation ends, nor put our tags on an address made inline.
func (c *Creation) lookForAddress(ctx context.Context) (string, error) {
	vm, err := c.s.machines.Get(ctx, c.p.settings.ResourceGroup, c.name,
		&armcompute.VirtualMachinesClientGetOptions{Expand: new(armcompute.InstanceViewTypesInstanceView)})
	if err != nil {
		return "", err
	}
	if f := factsOf(&vm.VirtualMachine, nil); strings.EqualFold(f.provisioning, "Failed") {
		return "", f.failed()
	}
	if address := c.s.addressByInterface(ctx, &vm.VirtualMachine); address != "" {
		return address, nil
	}
	ips, err := c.s.listIPs(ctx, c.p.settings.ResourceGroup)
	if err != nil {
		return "", err
	}
	return indexIPs(ips).of(&vm.VirtualMachine), nil
}

// addressByInterface follows machine, interface, address; "" where a step is missing yet.
func (s *session) addressByInterface(ctx context.Context, vm *armcompute.VirtualMachine) string {
	for _, nicID := range nicIDs(vm) {
		id, err := arm.ParseResourceID(nicID)
		if err != nil {
			continue
		}
		nic, err := s.nics.Get(ctx, id.ResourceGroupName, id.Name, nil)
		if err != nil || nic.Properties == nil {
			continue
		}
		for _, c := range nic.Properties.IPConfigurations {
			if c == nil || c.Properties == nil || c.Properties.PublicIPAddress == nil || c.Properties.PublicIPAddress.ID == nil {
				continue
			}
			id, err := arm.ParseResourceID(*c.Properties.PublicIPAddress.ID)
			if err != nil {
				continue
			}
			ip, err := s.ips.Get(ctx, id.ResourceGroupName, id.Name, nil)
			if err == nil && addressOf(&ip.PublicIPAddress) != "" {
				return addressOf(&ip.PublicIPAddress)
			}
		}
	}
	return ""
}

// ipIndex finds the address of a machine among those of its group.
type ipIndex struct {
	byHost map[string]string // host id: address
	byNIC  map[string]string // interface id in lower case: address
}

func indexIPs(ips []*armnetwork.PublicIPAddress) ipIndex {
	x := ipIndex{byHost: map[string]string{}, byNIC: map[string]string{}}
	for _, ip := range ips {
		address := addressOf(ip)
		if address == "" {
			continue
		}
		if host := tag(ip.Tags, tagHostID); host != "" {
			x.byHost[host] = address
		}
		if nic := nicOfIP(ip); nic != "" {
			x.byNIC[nic] = address
		}
	}
	return x
}

// of prefers the attachment, which cannot be a leftover, to the tag.
func (x ipIndex) of(vm *armcompute.VirtualMachine) string {
	for _, id := range nicIDs(vm) {
		if a := x.byNIC[strings.ToLower(id)]; a != "" {
			return a
		}
	}
	return x.byHost[tag(vm.Tags, tagHostID)]
}

// addressOf is "" where there is no address yet, or what stands there is none: it becomes
// an argument of ssh.
func addressOf(ip *armnetwork.PublicIPAddress) string {
	if ip.Properties == nil {
		return ""
	}
	address, err := netip.ParseAddr(text(ip.Properties.IPAddress))
	if err != nil || address.Zone() != "" {
		return ""
	}
	return address.String()
}

// nicOfIP is the id, in lower case, of the interface an address is attached to:
// the address names the interface's configuration.
func nicOfIP(ip *armnetwork.PublicIPAddress) string {
	if ip.Properties == nil || ip.Properties.IPConfiguration == nil || ip.Properties.IPConfiguration.ID == nil {
		return ""
	}
	nic, _, _ := strings.Cut(strings.ToLower(*ip.Properties.IPConfiguration.ID), "/ipconfigurations/")
	return nic
}

func nicIDs(vm *armcompute.VirtualMachine) []string {
	if vm.Properties == nil || vm.Properties.NetworkProfile == nil {
		return nil
	}
	var ids []string
	for _, nic := range vm.Properties.NetworkProfile.NetworkInterfaces {
		if nic != nil && nic.ID != nil {
			ids = append(ids, *nic.ID)
		}
	}
	return ids
}

// listIPs returns the addresses of a group; none where the group is absent.
func (s *session) listIPs(ctx context.Context, group string) ([]*armnetwork.PublicIPAddress, error) {
	return collect(ctx, s.ips.NewListPager(group, nil), func(page armnetwork.PublicIPAddressesClientListResponse) []*armnetwork.PublicIPAddress {
		return page.Value
	})
}
