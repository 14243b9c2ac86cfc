package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
)

// virtualNetwork makes the network with its one subnet, in one request, and only where
// there is none: a PUT of an existing network would delete the subnets it does not name.
func (w *preparation) virtualNetwork(ctx context.Context) error {
	got, err := w.s.vnets.Get(ctx, w.p.settings.ResourceGroup, w.n.vnet, nil)
	switch {
	case absent(err):
		return w.createNetwork(ctx)
	case err != nil:
		return w.p.translate(err, "look at network "+w.n.vnet)
	case !ours(got.Tags):
		return foreign("network " + w.n.vnet)
	}
	if err := elsewhere("network "+w.n.vnet, text(got.Location), w.n.region); err != nil {
		return err
	}
	w.note("network", w.n.vnet, false)
	subnet := findSubnet(&got.VirtualNetwork, w.n.subnet)
	switch {
	case subnet == nil:
		return w.putSubnet(ctx, w.subnet())
	case subnet.Properties == nil || subnet.Properties.NetworkSecurityGroup == nil:
		// Standard addresses are closed unless a security group admits somebody.
		bound := *subnet
		properties := armnetwork.SubnetPropertiesFormat{}
		if subnet.Properties != nil {
			properties = *subnet.Properties
		}
		properties.NetworkSecurityGroup = w.subnet().Properties.NetworkSecurityGroup
		bound.Properties = &properties
		return w.putSubnet(ctx, &bound)
	case !strings.EqualFold(text(subnet.Properties.NetworkSecurityGroup.ID), w.nsgID()):
		w.warn("subnet " + w.n.subnet + " is bound to another security group than " + w.n.nsg + ", which is left so")
	}
	w.note("subnet", w.n.subnet, false)
	return nil
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
	err = finish(ctx, w.p, op, err)
	if err != nil {
		return w.p.translate(err, "create network "+w.n.vnet)
	}
	w.note("network", w.n.vnet, true)
	w.note("subnet", w.n.subnet, true)
	return nil
}

func (w *preparation) putSubnet(ctx context.Context, subnet *armnetwork.Subnet) error {
	err := whileBusy(ctx, w.p, nil, func(ctx context.Context) error {
		op, err := w.s.subnets.BeginCreateOrUpdate(ctx, w.p.settings.ResourceGroup, w.n.vnet, w.n.subnet, *subnet, nil)
		return finish(ctx, w.p, op, err)
	})
	if err != nil {
		return w.p.translate(err, "write subnet "+w.n.subnet)
	}
	w.note("subnet", w.n.subnet, true)
	return nil
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
