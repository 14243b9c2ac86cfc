// Stranger is a program of somebody who knows Azure and has never seen mngr: it reads what
// `mngr azure local status --format json` prints on standard input, and with Microsoft's SDK
// makes a machine with its network, looks at it, deallocates it and removes everything.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

// account is what a stranger is told.
type account struct {
	Endpoint         string `json:"endpoint"`
	Authority        string `json:"authority"`
	CAFile           string `json:"ca_file"`
	TenantID         string `json:"tenant_id"`
	SubscriptionID   string `json:"subscription_id"`
	ClientID         string `json:"client_id"`
	ClientSecretFile string `json:"client_secret_file"`
}

const (
	group    = "stranger"
	location = "westus"
	key      = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMVd0BPLUhBMUGBEmtv3OVTQGsKjwJOjHGvHNLxvkDrH stranger"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	var a account
	if err := json.NewDecoder(os.Stdin).Decode(&a); err != nil {
		return fmt.Errorf("read the account: %w", err)
	}
	cred, options, err := a.login()
	if err != nil {
		return err
	}
	resources, err := armresources.NewClientFactory(a.SubscriptionID, cred, options)
	if err != nil {
		return err
	}
	network, err := armnetwork.NewClientFactory(a.SubscriptionID, cred, options)
	if err != nil {
		return err
	}
	compute, err := armcompute.NewClientFactory(a.SubscriptionID, cred, options)
	if err != nil {
		return err
	}
	for _, namespace := range []string{"Microsoft.Network", "Microsoft.Compute"} {
		if err := register(ctx, resources.NewProvidersClient(), namespace); err != nil {
			return err
		}
	}
	groups := resources.NewResourceGroupsClient()
	if _, err := groups.CreateOrUpdate(ctx, group, armresources.ResourceGroup{Location: new(location)}, nil); err != nil {
		return err
	}
	fmt.Println("group made")
	nic, err := connect(ctx, network)
	if err != nil {
		return err
	}
	if err := live(ctx, compute.NewVirtualMachinesClient(), nic); err != nil {
		return err
	}
	p, err := groups.BeginDelete(ctx, group, nil)
	if _, err := end(ctx, p, err); err != nil {
		return err
	}
	fmt.Println("group deleted")
	return nil
}

func (a account) login() (*azidentity.ClientSecretCredential, *arm.ClientOptions, error) {
	secret, err := os.ReadFile(a.ClientSecretFile)
	if err != nil {
		return nil, nil, err
	}
	ca, err := os.ReadFile(a.CAFile)
	if err != nil {
		return nil, nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	options := policy.ClientOptions{
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: a.Authority, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: a.Endpoint, Audience: "https://management.core.windows.net/"}}},
		Transport: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
	}
	cred, err := azidentity.NewClientSecretCredential(a.TenantID, a.ClientID, strings.TrimSpace(string(secret)),
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	return cred, &arm.ClientOptions{ClientOptions: options}, err
}

// register waits: the SDK would register by itself, but looks only every 15 seconds.
func register(ctx context.Context, providers *armresources.ProvidersClient, namespace string) error {
	if _, err := providers.Register(ctx, namespace, nil); err != nil {
		return err
	}
	for {
		got, err := providers.Get(ctx, namespace, nil)
		if err != nil || *got.RegistrationState == "Registered" {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// connect makes network, subnet, public address and an interface, and returns its id.
func connect(ctx context.Context, network *armnetwork.ClientFactory) (*string, error) {
	v, err := network.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, group, "net", armnetwork.VirtualNetwork{Location: new(location),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new("10.9.0.0/16")}}}}, nil)
	if _, err := end(ctx, v, err); err != nil {
		return nil, err
	}
	s, err := network.NewSubnetsClient().BeginCreateOrUpdate(ctx, group, "net", "sub", armnetwork.Subnet{Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: new("10.9.1.0/24")}}, nil)
	subnet, err := end(ctx, s, err)
	if err != nil {
		return nil, err
	}
	p, err := network.NewPublicIPAddressesClient().BeginCreateOrUpdate(ctx, group, "ip", armnetwork.PublicIPAddress{Location: new(location), SKU: &armnetwork.PublicIPAddressSKU{Name: new(armnetwork.PublicIPAddressSKUNameStandard)},
		Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)}}, nil)
	address, err := end(ctx, p, err)
	if err != nil {
		return nil, err
	}
	i, err := network.NewInterfacesClient().BeginCreateOrUpdate(ctx, group, "nic", armnetwork.Interface{Location: new(location), Properties: &armnetwork.InterfacePropertiesFormat{
		IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: new("ip"), Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{Subnet: &subnet.Subnet, PublicIPAddress: &armnetwork.PublicIPAddress{ID: address.ID}}}}}}, nil)
	nic, err := end(ctx, i, err)
	if err != nil {
		return nil, err
	}
	fmt.Println("interface made:", *nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress, *address.Properties.IPAddress)
	return nic.ID, nil
}

// live takes a machine through its life.
func live(ctx context.Context, vms *armcompute.VirtualMachinesClient, nic *string) error {
	c, err := vms.BeginCreateOrUpdate(ctx, group, "vm", armcompute.VirtualMachine{Location: new(location), Properties: &armcompute.VirtualMachineProperties{
		HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes("Standard_B2s"))},
		OSProfile: &armcompute.OSProfile{ComputerName: new("vm"), AdminUsername: new("azureuser"), LinuxConfiguration: &armcompute.LinuxConfiguration{DisablePasswordAuthentication: new(true),
			SSH: &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{{Path: new("/home/azureuser/.ssh/authorized_keys"), KeyData: new(key)}}}}},
		StorageProfile: &armcompute.StorageProfile{ImageReference: &armcompute.ImageReference{Publisher: new("Debian"), Offer: new("debian-12"), SKU: new("12-gen2"), Version: new("latest")},
			OSDisk: &armcompute.OSDisk{CreateOption: new(armcompute.DiskCreateOptionTypesFromImage)}},
		NetworkProfile: &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{ID: nic}}},
	}}, nil)
	vm, err := end(ctx, c, err)
	if err != nil {
		return err
	}
	fmt.Println("machine made:", *vm.Properties.ProvisioningState)
	if err := show(ctx, vms); err != nil {
		return err
	}
	d, err := vms.BeginDeallocate(ctx, group, "vm", nil)
	if _, err := end(ctx, d, err); err != nil {
		return err
	}
	if err := show(ctx, vms); err != nil {
		return err
	}
	x, err := vms.BeginDelete(ctx, group, "vm", nil)
	if _, err := end(ctx, x, err); err != nil {
		return err
	}
	fmt.Println("machine deleted")
	return nil
}

func show(ctx context.Context, vms *armcompute.VirtualMachinesClient) error {
	view, err := vms.InstanceView(ctx, group, "vm", nil)
	if err != nil {
		return err
	}
	for _, s := range view.Statuses {
		fmt.Println("machine is:", *s.DisplayStatus)
	}
	return nil
}

func end[T any](ctx context.Context, p *runtime.Poller[T], err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return p.PollUntilDone(ctx, nil)
}
