package contract

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
)

func tagged() armnetwork.TagsObject {
	return armnetwork.TagsObject{Tags: map[string]*string{"a": new("b")}}
}

// wire makes network "vn" with subnet "s" under security group "n", address "p" and interface "i".
func (c *clients) wire(ctx context.Context) {
	c.t.Helper()
	n := c.network
	nsg := done[armnetwork.SecurityGroupsClientCreateOrUpdateResponse](ctx, c.local)(n.NewSecurityGroupsClient().BeginCreateOrUpdate(ctx, "rg", "n",
		armnetwork.SecurityGroup{Location: new("westus")}, nil))
	if len(nsg.Properties.DefaultSecurityRules) != 6 {
		c.t.Errorf("default rules: %s", c.tap.last())
	}
	rule := done[armnetwork.SecurityRulesClientCreateOrUpdateResponse](ctx, c.local)(n.NewSecurityRulesClient().BeginCreateOrUpdate(ctx, "rg", "n", "ssh",
		armnetwork.SecurityRule{Properties: &armnetwork.SecurityRulePropertiesFormat{
			Access: new(armnetwork.SecurityRuleAccessAllow), Direction: new(armnetwork.SecurityRuleDirectionInbound), Protocol: new(armnetwork.SecurityRuleProtocolTCP), Priority: new(int32(1000)),
			SourceAddressPrefix: new("*"), SourcePortRange: new("*"), DestinationAddressPrefix: new("*"), DestinationPortRange: new("22")}}, nil))
	if *rule.Properties.Priority != 1000 || *rule.Properties.ProvisioningState != armnetwork.ProvisioningStateSucceeded {
		c.t.Errorf("rule: %s", c.tap.last())
	}
	done[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](ctx, c.local)(n.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, "rg", "vn", armnetwork.VirtualNetwork{
		Location: new("westus"), Properties: &armnetwork.VirtualNetworkPropertiesFormat{AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new("10.0.0.0/16")}}}}, nil))
	done[armnetwork.SubnetsClientCreateOrUpdateResponse](ctx, c.local)(n.NewSubnetsClient().BeginCreateOrUpdate(ctx, "rg", "vn", "s", armnetwork.Subnet{
		Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new("10.0.0.0/24"), NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: nsg.ID}}}, nil))
	address := done[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](ctx, c.local)(n.NewPublicIPAddressesClient().BeginCreateOrUpdate(ctx, "rg", "p", armnetwork.PublicIPAddress{
		Location: new("westus"), SKU: standard(), Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)}}, nil))
	if address.Properties.IPAddress == nil || *address.SKU.Tier != armnetwork.PublicIPAddressSKUTierRegional {
		c.t.Errorf("address: %s", c.tap.last())
	}
	nic := done[armnetwork.InterfacesClientCreateOrUpdateResponse](ctx, c.local)(n.NewInterfacesClient().BeginCreateOrUpdate(ctx, "rg", "i", armnetwork.Interface{
		Location: new("westus"), Properties: &armnetwork.InterfacePropertiesFormat{IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: new("c"),
			Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{Subnet: &armnetwork.Subnet{ID: c.id("Microsoft.Network/virtualNetworks/vn/subnets/s")}, PublicIPAddress: &armnetwork.PublicIPAddress{ID: address.ID}}}}}}, nil))
	if got := nic.Properties.IPConfigurations[0].Properties; *got.PrivateIPAddress != "10.0.0.4" || !*got.Primary {
		c.t.Errorf("interface: %s", c.tap.last())
	}
}

// unwire removes all that wire made, each once something refused it.
func (c *clients) unwire(ctx context.Context) {
	c.t.Helper()
	n := c.network
	_, err := n.NewPublicIPAddressesClient().BeginDelete(ctx, "rg", "p", nil)
	refused(c.t, err, http.StatusBadRequest, "PublicIPAddressCannotBeDeleted")
	_, err = n.NewVirtualNetworksClient().BeginDelete(ctx, "rg", "vn", nil)
	refused(c.t, err, http.StatusBadRequest, "InUseSubnetCannotBeDeleted")
	_, err = n.NewSecurityGroupsClient().BeginDelete(ctx, "rg", "n", nil)
	refused(c.t, err, http.StatusBadRequest, "InUseNetworkSecurityGroupCannotBeDeleted")
	done[armnetwork.InterfacesClientDeleteResponse](ctx, c.local)(n.NewInterfacesClient().BeginDelete(ctx, "rg", "i", nil))
	done[armnetwork.PublicIPAddressesClientDeleteResponse](ctx, c.local)(n.NewPublicIPAddressesClient().BeginDelete(ctx, "rg", "p", nil))
	done[armnetwork.SubnetsClientDeleteResponse](ctx, c.local)(n.NewSubnetsClient().BeginDelete(ctx, "rg", "vn", "s", nil))
	done[armnetwork.VirtualNetworksClientDeleteResponse](ctx, c.local)(n.NewVirtualNetworksClient().BeginDelete(ctx, "rg", "vn", nil))
	done[armnetwork.SecurityRulesClientDeleteResponse](ctx, c.local)(n.NewSecurityRulesClient().BeginDelete(ctx, "rg", "n", "ssh", nil))
	done[armnetwork.SecurityGroupsClientDeleteResponse](ctx, c.local)(n.NewSecurityGroupsClient().BeginDelete(ctx, "rg", "n", nil))
	done[armnetwork.SecurityGroupsClientDeleteResponse](ctx, c.local)(n.NewSecurityGroupsClient().BeginDelete(ctx, "rg", "n", nil)) // 204
}

// TestNetwork asks every operation of the network that is served.
func TestNetwork(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	n := c.network
	_, err := n.NewVirtualNetworksClient().Get(ctx, "rg", "vn", nil)
	refused(t, err, http.StatusNotFound, "ResourceGroupNotFound")
	c.prepare(ctx)
	_, err = n.NewVirtualNetworksClient().Get(ctx, "rg", "vn", nil)
	refused(t, err, http.StatusNotFound, "ResourceNotFound")
	c.wire(ctx)

	strict[armnetwork.VirtualNetworksClientGetResponse](l)(n.NewVirtualNetworksClient().Get(ctx, "rg", "vn", nil))
	strict[armnetwork.VirtualNetworksClientUpdateTagsResponse](l)(n.NewVirtualNetworksClient().UpdateTags(ctx, "rg", "vn", tagged(), nil))
	subnet := strict[armnetwork.SubnetsClientGetResponse](l)(n.NewSubnetsClient().Get(ctx, "rg", "vn", "s", nil))
	if len(subnet.Properties.IPConfigurations) != 1 {
		t.Errorf("who is in the subnet: %s", l.tap.last())
	}
	nsg := strict[armnetwork.SecurityGroupsClientGetResponse](l)(n.NewSecurityGroupsClient().Get(ctx, "rg", "n", nil))
	if len(nsg.Properties.Subnets) != 1 || len(nsg.Properties.SecurityRules) != 1 {
		t.Errorf("group: %s", l.tap.last())
	}
	strict[armnetwork.SecurityGroupsClientUpdateTagsResponse](l)(n.NewSecurityGroupsClient().UpdateTags(ctx, "rg", "n", tagged(), nil))
	strict[armnetwork.SecurityRulesClientGetResponse](l)(n.NewSecurityRulesClient().Get(ctx, "rg", "n", "ssh", nil))
	address := strict[armnetwork.PublicIPAddressesClientGetResponse](l)(n.NewPublicIPAddressesClient().Get(ctx, "rg", "p", nil))
	if !strings.HasSuffix(*address.Properties.IPConfiguration.ID, "/networkInterfaces/i/ipConfigurations/c") {
		t.Errorf("who has the address: %s", l.tap.last())
	}
	strict[armnetwork.PublicIPAddressesClientUpdateTagsResponse](l)(n.NewPublicIPAddressesClient().UpdateTags(ctx, "rg", "p", tagged(), nil))
	strict[armnetwork.InterfacesClientGetResponse](l)(n.NewInterfacesClient().Get(ctx, "rg", "i", nil))
	strict[armnetwork.InterfacesClientUpdateTagsResponse](l)(n.NewInterfacesClient().UpdateTags(ctx, "rg", "i", tagged(), nil))

	pages(ctx, l, n.NewVirtualNetworksClient().NewListPager("rg", nil))
	pages(ctx, l, n.NewVirtualNetworksClient().NewListAllPager(nil))
	pages(ctx, l, n.NewSubnetsClient().NewListPager("rg", "vn", nil))
	pages(ctx, l, n.NewSecurityGroupsClient().NewListPager("rg", nil))
	pages(ctx, l, n.NewSecurityGroupsClient().NewListAllPager(nil))
	pages(ctx, l, n.NewSecurityRulesClient().NewListPager("rg", "n", nil))
	pages(ctx, l, n.NewDefaultSecurityRulesClient().NewListPager("rg", "n", nil))
	pages(ctx, l, n.NewPublicIPAddressesClient().NewListPager("rg", nil))
	pages(ctx, l, n.NewPublicIPAddressesClient().NewListAllPager(nil))
	pages(ctx, l, n.NewInterfacesClient().NewListPager("rg", nil))
	if got := pages(ctx, l, n.NewInterfacesClient().NewListAllPager(nil)); len(got) != 1 || len(got[0].Value) != 1 {
		t.Errorf("interfaces: %s", l.tap.last())
	}
	pages(ctx, l, n.NewUsagesClient().NewListPager("westus", nil))
	c.unwire(ctx)
}
