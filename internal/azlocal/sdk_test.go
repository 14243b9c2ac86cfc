package azlocal

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

// clients are Microsoft's clients of one local Azure.
type clients struct {
	*local
	groups      *armresources.ResourceGroupsClient
	providers   *armresources.ProvidersClient
	tags        *armresources.TagsClient
	vnets       *armnetwork.VirtualNetworksClient
	subnets     *armnetwork.SubnetsClient
	nsgs        *armnetwork.SecurityGroupsClient
	rules       *armnetwork.SecurityRulesClient
	addresses   *armnetwork.PublicIPAddressesClient
	interfaces  *armnetwork.InterfacesClient
	vms         *armcompute.VirtualMachinesClient
	disks       *armcompute.DisksClient
	definitions *armauthorization.RoleDefinitionsClient
	assignments *armauthorization.RoleAssignmentsClient
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (l *local) sdk(cred azcore.TokenCredential) *clients {
	t, sub, opt := l.t, l.inst.Subscription, l.options()
	res := must[*armresources.ClientFactory](t)(armresources.NewClientFactory(sub, cred, opt))
	net := must[*armnetwork.ClientFactory](t)(armnetwork.NewClientFactory(sub, cred, opt))
	com := must[*armcompute.ClientFactory](t)(armcompute.NewClientFactory(sub, cred, opt))
	aut := must[*armauthorization.ClientFactory](t)(armauthorization.NewClientFactory(sub, cred, opt))
	return &clients{
		local: l, groups: res.NewResourceGroupsClient(), providers: res.NewProvidersClient(), tags: res.NewTagsClient(),
		vnets: net.NewVirtualNetworksClient(), subnets: net.NewSubnetsClient(), nsgs: net.NewSecurityGroupsClient(), rules: net.NewSecurityRulesClient(),
		addresses: net.NewPublicIPAddressesClient(), interfaces: net.NewInterfacesClient(),
		vms: com.NewVirtualMachinesClient(), disks: com.NewDisksClient(),
		definitions: aut.NewRoleDefinitionsClient(), assignments: aut.NewRoleAssignmentsClient(),
	}
}

// done polls an operation to its end.
func done[T any](ctx context.Context, t testing.TB, p *runtime.Poller[T], err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.PollUntilDone(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wantCode fails unless err is ARM's refusal with a code.
func wantCode(t testing.TB, err error, status int, code string) {
	t.Helper()
	var re *azcore.ResponseError
	if !errors.As(err, &re) {
		t.Fatalf("got %v, want %d %s", err, status, code)
	}
	if re.ErrorCode != code || re.StatusCode != status {
		t.Fatalf("got %d %s, want %d %s: %v", re.StatusCode, re.ErrorCode, status, code, err)
	}
}

func (c *clients) prepare(ctx context.Context) {
	c.t.Helper()
	// Registered first: the SDK would do it by itself, but asks only every 15 seconds.
	for _, ns := range []string{"Microsoft.Network", "Microsoft.Compute"} {
		must[armresources.ProvidersClientRegisterResponse](c.t)(c.providers.Register(ctx, ns, nil))
	}
	must[armresources.ResourceGroupsClientCreateOrUpdateResponse](c.t)(c.groups.CreateOrUpdate(ctx, "rg", armresources.ResourceGroup{Location: new("westus")}, nil))
	nsg, err := c.nsgs.BeginCreateOrUpdate(ctx, "rg", "nsg", armnetwork.SecurityGroup{Location: new("westus")}, nil)
	done(ctx, c.t, nsg, err)
	rule, err := c.rules.BeginCreateOrUpdate(ctx, "rg", "nsg", "ssh", armnetwork.SecurityRule{Properties: &armnetwork.SecurityRulePropertiesFormat{
		Access: new(armnetwork.SecurityRuleAccessAllow), Direction: new(armnetwork.SecurityRuleDirectionInbound), Protocol: new(armnetwork.SecurityRuleProtocolTCP),
		Priority: new(int32(1000)), SourceAddressPrefix: new("127.0.0.0/8"), SourcePortRange: new("*"), DestinationAddressPrefix: new("*"), DestinationPortRanges: []*string{new("22"), new("2222")},
	}}, nil)
	done(ctx, c.t, rule, err)
	vnet, err := c.vnets.BeginCreateOrUpdate(ctx, "rg", "vnet", armnetwork.VirtualNetwork{Location: new("westus"), Properties: &armnetwork.VirtualNetworkPropertiesFormat{
		AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new("10.0.0.0/16")}},
		Subnets: []*armnetwork.Subnet{{Name: new("default"), Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new("10.0.0.0/24"),
			NetworkSecurityGroup: &armnetwork.SecurityGroup{ID: new(c.id("Microsoft.Network/networkSecurityGroups/nsg"))}}}},
	}}, nil)
	done(ctx, c.t, vnet, err)
}

const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMVd0BPLUhBMUGBEmtv3OVTQGsKjwJOjHGvHNLxvkDrH test"

// machine is a VM with everything inline, as one PUT makes it.
func (c *clients) machine(tags map[string]*string) armcompute.VirtualMachine {
	return armcompute.VirtualMachine{
		Location: new("westus"), Tags: tags, Identity: &armcompute.VirtualMachineIdentity{Type: new(armcompute.ResourceIdentityTypeSystemAssigned)},
		Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes("Standard_B2s"))},
			OSProfile: &armcompute.OSProfile{ComputerName: new("vm"), AdminUsername: new("azureuser"), CustomData: new(base64.StdEncoding.EncodeToString([]byte("#cloud-config\n#SECRET-MARK"))),
				LinuxConfiguration: &armcompute.LinuxConfiguration{DisablePasswordAuthentication: new(true), SSH: &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{
					{Path: new("/home/azureuser/.ssh/authorized_keys"), KeyData: new(testKey)}}}}},
			StorageProfile: &armcompute.StorageProfile{
				ImageReference: &armcompute.ImageReference{Publisher: new("Debian"), Offer: new("debian-12"), SKU: new("12-gen2"), Version: new("latest")},
				OSDisk: &armcompute.OSDisk{Name: new("vm-os"), CreateOption: new(armcompute.DiskCreateOptionTypesFromImage), DeleteOption: new(armcompute.DiskDeleteOptionTypesDelete),
					ManagedDisk: &armcompute.ManagedDiskParameters{StorageAccountType: new(armcompute.StorageAccountTypesStandardSSDLRS)}}},
			NetworkProfile: &armcompute.NetworkProfile{NetworkAPIVersion: new(armcompute.NetworkAPIVersionTwoThousandTwentyTwo1101),
				NetworkInterfaceConfigurations: []*armcompute.VirtualMachineNetworkInterfaceConfiguration{{Name: new("nic"), Tags: tags,
					Properties: &armcompute.VirtualMachineNetworkInterfaceConfigurationProperties{Primary: new(true), DeleteOption: new(armcompute.DeleteOptionsDelete),
						IPConfigurations: []*armcompute.VirtualMachineNetworkInterfaceIPConfiguration{{Name: new("ip"), Properties: &armcompute.VirtualMachineNetworkInterfaceIPConfigurationProperties{
							Subnet: &armcompute.SubResource{ID: new(c.id("Microsoft.Network/virtualNetworks/vnet/subnets/default"))},
							PublicIPAddressConfiguration: &armcompute.VirtualMachinePublicIPAddressConfiguration{Name: new("pip"), Tags: tags,
								SKU:        &armcompute.PublicIPAddressSKU{Name: new(armcompute.PublicIPAddressSKUNameStandard)},
								Properties: &armcompute.VirtualMachinePublicIPAddressConfigurationProperties{DeleteOption: new(armcompute.DeleteOptionsDelete), PublicIPAllocationMethod: new(armcompute.PublicIPAllocationMethodStatic)}},
						}}}}}}}},
	}
}

func powerState(view *armcompute.VirtualMachineInstanceView) string {
	for _, s := range view.Statuses {
		if p, ok := strings.CutPrefix(*s.Code, "PowerState/"); ok {
			return p
		}
	}
	return ""
}

// TestLife drives one machine's whole life with Microsoft's SDK.
func TestLife(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)

	tags := map[string]*string{"managed-by": new("mngr")}
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(tags), &armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{IfNoneMatch: new("*")})
	made := done(ctx, t, create, err)
	if *made.Properties.ProvisioningState != "Succeeded" || *made.Identity.PrincipalID == "" {
		t.Fatalf("made: %+v", made)
	}
	if raw, _ := json.Marshal(made); strings.Contains(string(raw), "customData") {
		t.Fatal("customData came back")
	}
	_, err = c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(tags), &armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{IfNoneMatch: new("*")})
	wantCode(t, err, 412, "PreconditionFailed")

	nic := *made.Properties.NetworkProfile.NetworkInterfaces[0].ID
	got := must[armnetwork.InterfacesClientGetResponse](t)(c.interfaces.Get(ctx, "rg", nic[strings.LastIndex(nic, "/")+1:], nil))
	if *got.Tags["managed-by"] != "mngr" || !strings.EqualFold(*got.Properties.VirtualMachine.ID, *made.ID) {
		t.Fatalf("interface: %+v", got)
	}
	pip := *got.Properties.IPConfigurations[0].Properties.PublicIPAddress.ID
	addr := must[armnetwork.PublicIPAddressesClientGetResponse](t)(c.addresses.Get(ctx, "rg", pip[strings.LastIndex(pip, "/")+1:], nil))
	if !strings.HasPrefix(*addr.Properties.IPAddress, "127.") || *addr.SKU.Name != armnetwork.PublicIPAddressSKUNameStandard {
		t.Fatalf("address: %+v", addr)
	}

	for _, step := range []struct {
		want string
		run  func() error
	}{
		{"running", func() error { return nil }},
		{"deallocated", func() error {
			p, err := c.vms.BeginDeallocate(ctx, "rg", "vm", nil)
			done(ctx, t, p, err)
			return nil
		}},
		{"running", func() error { p, err := c.vms.BeginStart(ctx, "rg", "vm", nil); done(ctx, t, p, err); return nil }},
		{"stopped", func() error { p, err := c.vms.BeginPowerOff(ctx, "rg", "vm", nil); done(ctx, t, p, err); return nil }},
		{"running", func() error { p, err := c.vms.BeginStart(ctx, "rg", "vm", nil); done(ctx, t, p, err); return nil }},
		{"running", func() error { p, err := c.vms.BeginRestart(ctx, "rg", "vm", nil); done(ctx, t, p, err); return nil }},
	} {
		if err := step.run(); err != nil {
			t.Fatal(err)
		}
		view := must[armcompute.VirtualMachinesClientInstanceViewResponse](t)(c.vms.InstanceView(ctx, "rg", "vm", nil))
		if p := powerState(&view.VirtualMachineInstanceView); p != step.want {
			t.Fatalf("power state %q, want %q", p, step.want)
		}
	}

	del, err := c.vms.BeginDelete(ctx, "rg", "vm", &armcompute.VirtualMachinesClientBeginDeleteOptions{ForceDeletion: new(true)})
	done(ctx, t, del, err)
	_, err = c.vms.Get(ctx, "rg", "vm", nil)
	wantCode(t, err, 404, "ResourceNotFound")
	c.eventuallyEmpty(ctx)

	gone, err := c.groups.BeginDelete(ctx, "rg", nil)
	done(ctx, t, gone, err)
	_, err = c.groups.Get(ctx, "rg", nil)
	wantCode(t, err, 404, "ResourceGroupNotFound")
}

// eventuallyEmpty waits for the cascade after a machine's deletion.
func (c *clients) eventuallyEmpty(ctx context.Context) {
	c.t.Helper()
	for {
		left := 0
		for pager := c.interfaces.NewListPager("rg", nil); pager.More(); {
			left += len(must[armnetwork.InterfacesClientListResponse](c.t)(pager.NextPage(ctx)).Value)
		}
		for pager := c.addresses.NewListPager("rg", nil); pager.More(); {
			left += len(must[armnetwork.PublicIPAddressesClientListResponse](c.t)(pager.NextPage(ctx)).Value)
		}
		for pager := c.disks.NewListByResourceGroupPager("rg", nil); pager.More(); {
			left += len(must[armcompute.DisksClientListByResourceGroupResponse](c.t)(pager.NextPage(ctx)).Value)
		}
		if left == 0 {
			return
		}
		if ctx.Err() != nil {
			c.t.Fatalf("%d resources are left", left)
		}
	}
}
