package azure

import (
	"context"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"mngr/internal/agent"
)

// inlineRefused tells whether Azure does not take the interface or the address inside
// the machine's request. Compute's model says that an inline address's SKU "can only be
// set with OrchestrationMode as Flexible", while Microsoft's examples set it.
func inlineRefused(err error) bool {
	e, ok := asARM(err)
	if !ok || e.status != http.StatusBadRequest {
		return false
	}
	about := strings.ToLower(e.target + " " + e.message)
	return strings.Contains(about, "publicipaddressconfiguration") ||
		strings.Contains(about, "networkinterfaceconfiguration")
}

// putSeparately makes the address and the interface first and then the machine, for
// where they cannot be made inline. Each request is heard out even when ctx ends. What a
// refusal or an interruption leaves is swept by the caller.
func (p *Provider) putSeparately(ctx context.Context, s *session, r machineRequest, progress agent.Progress) (vm *armcompute.VirtualMachine, op *createOp, err error) {
	const phase = "making the public address and the network interface"
	say(progress, phase)
	limit, over := agent.Within(ctx, agent.DeadlineAddress, phase)
	defer over(&err)
	write, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineAddress, phase)
	defer done(&err)
	group := p.settings.ResourceGroup
	ip, err := s.ips.BeginCreateOrUpdate(write, group, ipName(r.name), r.separateIP(), nil)
	err = finish(limit, p, ip, err)
	if err != nil {
		return nil, nil, err
	}
	ipID := s.networkID(group, "publicIPAddresses", ipName(r.name))
	nic, err := s.nics.BeginCreateOrUpdate(write, group, nicName(r.name), r.separateNIC(ipID), nil)
	err = finish(limit, p, nic, err)
	if err != nil {
		return nil, nil, err
	}
	body := r.body()
	body.Properties.NetworkProfile = &armcompute.NetworkProfile{
		NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{
			ID: new(s.networkID(group, "networkInterfaces", nicName(r.name))),
			Properties: &armcompute.NetworkInterfaceReferenceProperties{
				Primary: new(true), DeleteOption: new(armcompute.DeleteOptionsDelete),
			},
		}},
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	say(progress, "asking Azure for the machine")
	return p.put(ctx, s, r, body)
}

func (r machineRequest) separateIP() armnetwork.PublicIPAddress {
	return armnetwork.PublicIPAddress{
		Location: new(r.spec.Region),
		Tags:     ownersOnly(r.tags),
		SKU: &armnetwork.PublicIPAddressSKU{
			Name: new(armnetwork.PublicIPAddressSKUNameStandard), Tier: new(armnetwork.PublicIPAddressSKUTierRegional),
		},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{
			PublicIPAddressVersion:   new(armnetwork.IPVersionIPv4),
			PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic),
		},
	}
}

// separateNIC carries the address's delete option: Azure reads it there and not on the
// machine.
func (r machineRequest) separateNIC(ipID string) armnetwork.Interface {
	return armnetwork.Interface{
		Location: new(r.spec.Region),
		Tags:     ownersOnly(r.tags),
		Properties: &armnetwork.InterfacePropertiesFormat{
			IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{
				Name: new("ipconfig1"),
				Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
					Primary: new(true),
					Subnet:  &armnetwork.Subnet{ID: new(r.subnetID)},
					PublicIPAddress: &armnetwork.PublicIPAddress{
						ID: new(ipID),
						Properties: &armnetwork.PublicIPAddressPropertiesFormat{
							DeleteOption: new(armnetwork.DeleteOptionsDelete),
						},
					},
				},
			}},
		},
	}
}
