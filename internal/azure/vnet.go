package azure

import (
	"cmp"
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
)

const (
	kindNetwork = "network"
	kindSubnet  = "subnet"
)

// planNetwork makes the network with its one subnet, in one request, and only where there
// is none: a PUT of an existing network would delete the subnets it does not name. A
// subnet that is there is never written: others may live in it.
func (w *preparation) planNetwork(found survey) error {
	if found.vnet == nil {
		w.add(step{
			part: Part{Kind: kindNetwork, Name: w.n.vnet, Action: Create},
			there: func(ctx context.Context) error {
				_, err := w.s.vnets.Get(ctx, w.p.settings.ResourceGroup, w.n.vnet, nil)
				return err
			},
			do: w.createNetwork,
		})
		return nil
	}
	if err := w.keepOurs(kindNetwork, w.n.vnet, found.vnet.Tags, found.vnet.Location); err != nil {
		return err
	}
	subnet := findSubnet(found.vnet, w.n.subnet)
	if subnet == nil {
		w.add(step{
			part: Part{Kind: kindSubnet, Name: w.n.subnet, Action: Create},
			there: func(ctx context.Context) error {
				_, err := w.s.subnets.Get(ctx, w.p.settings.ResourceGroup, w.n.vnet, w.n.subnet, nil)
				return err
			},
			do: w.createSubnet,
		})
		return nil
	}
	w.keep(kindSubnet, w.n.subnet)
	w.checkBinding(subnet)
	return nil
}

// checkBinding warns of a subnet that our rules do not guard. Standard addresses are
// closed unless a security group admits somebody.
func (w *preparation) checkBinding(subnet *armnetwork.Subnet) {
	bound := ""
	if subnet.Properties != nil && subnet.Properties.NetworkSecurityGroup != nil {
		bound = text(subnet.Properties.NetworkSecurityGroup.ID)
	}
	if strings.EqualFold(bound, w.nsgID()) {
		return
	}
	why := "has no security group, so that its machines cannot be reached"
	if bound != "" {
		why = "is bound to another security group (" + bound + "), whose rules count instead of ours"
	}
	w.warn("subnet " + w.n.subnet + " " + why + "; bind it with: az network vnet subnet update --subscription " + w.s.subscription +
		" -g " + w.p.settings.ResourceGroup + " --vnet-name " + w.n.vnet + " -n " + w.n.subnet + " --network-security-group " + w.n.nsg)
}

func (w *preparation) nsgID() string {
	return w.s.networkID(w.p.settings.ResourceGroup, "networkSecurityGroups", w.n.nsg)
}

func (w *preparation) subnet() *armnetwork.Subnet {
	return &armnetwork.Subnet{
		Name: new(w.n.subnet),
		Properties: &armnetwork.SubnetPropertiesFormat{
			AddressPrefix:        new(w.p.settings.SubnetPrefix),
			NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: new(w.nsgID())},
		},
	}
}

func (w *preparation) createNetwork(ctx context.Context) error {
	op, err := w.s.vnets.BeginCreateOrUpdate(ctx, w.p.settings.ResourceGroup, w.n.vnet, armnetwork.VirtualNetwork{
		Location: new(w.n.region),
		Tags:     w.p.settings.ownerTags(),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new(w.p.settings.VNetPrefix)}},
			Subnets:      []*armnetwork.Subnet{w.subnet()},
		},
	}, nil)
	return finish(ctx, w.p, op, err)
}

func (w *preparation) createSubnet(ctx context.Context) error {
	op, err := w.s.subnets.BeginCreateOrUpdate(ctx, w.p.settings.ResourceGroup, w.n.vnet, w.n.subnet, *w.subnet(), nil)
	return finish(ctx, w.p, op, err)
}

// subnetPrefix is the range of the subnet where it is there already.
func (f survey) subnetPrefix(name, otherwise string) string {
	if f.vnet == nil {
		return otherwise
	}
	if subnet := findSubnet(f.vnet, name); subnet != nil {
		return cmp.Or(prefixOf(subnet), otherwise)
	}
	return otherwise
}

func findSubnet(vnet *armnetwork.VirtualNetwork, name string) *armnetwork.Subnet {
	if vnet.Properties == nil {
		return nil
	}
	for _, s := range vnet.Properties.Subnets {
		if s != nil && strings.EqualFold(text(s.Name), name) {
			return s
		}
	}
	return nil
}

// prefixOf is a subnet's address range; newer subnets have a list of them.
func prefixOf(s *armnetwork.Subnet) string {
	if s.Properties == nil {
		return ""
	}
	if one := text(s.Properties.AddressPrefix); one != "" || len(s.Properties.AddressPrefixes) == 0 {
		return one
	}
	return text(s.Properties.AddressPrefixes[0])
}
