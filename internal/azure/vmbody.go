package azure

import (
	"encoding/base64"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

// networkAPIVersion is the network provider's version that Compute uses for the
// interface and the address it makes inline.
const networkAPIVersion = armcompute.NetworkAPIVersion("2022-11-01")

// machineRequest is all that the body of a machine's PUT depends on.
type machineRequest struct {
	settings Settings
	spec     agent.MachineSpec // with size and region resolved
	name     string
	subnetID string
	tags     map[string]string
}

// body is the whole host in one request: machine, disk, interface and public address,
// each deleted with the machine, each with its owner's tags.
func (r machineRequest) body() armcompute.VirtualMachine {
	vm := armcompute.VirtualMachine{
		Location: new(r.spec.Region),
		Tags:     sdkTags(r.tags),
		Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes(r.spec.Size))},
			StorageProfile:  r.storage(),
			OSProfile:       r.system(),
			NetworkProfile: &armcompute.NetworkProfile{
				NetworkAPIVersion:              new(networkAPIVersion),
				NetworkInterfaceConfigurations: []*armcompute.VirtualMachineNetworkInterfaceConfiguration{r.inlineNIC()},
			},
		},
	}
	if r.settings.SelfStop && !r.spec.NoIdentity {
		vm.Identity = &armcompute.VirtualMachineIdentity{Type: new(armcompute.ResourceIdentityTypeSystemAssigned)}
	}
	if r.spec.Spot {
		policy := armcompute.VirtualMachineEvictionPolicyTypesDelete
		if r.settings.EvictDeallocates {
			policy = armcompute.VirtualMachineEvictionPolicyTypesDeallocate
		}
		vm.Properties.Priority = new(armcompute.VirtualMachinePriorityTypesSpot)
		vm.Properties.EvictionPolicy = new(policy)
		vm.Properties.BillingProfile = &armcompute.BillingProfile{MaxPrice: new(r.settings.SpotMaxPrice)}
	}
	return vm
}

func (r machineRequest) storage() *armcompute.StorageProfile {
	image := r.settings.Image
	return &armcompute.StorageProfile{
		ImageReference: &armcompute.ImageReference{
			Publisher: new(image.Publisher), Offer: new(image.Offer), SKU: new(image.SKU), Version: new(image.Version),
		},
		OSDisk: &armcompute.OSDisk{
			Name:         new(diskName(r.name)),
			CreateOption: new(armcompute.DiskCreateOptionTypesFromImage),
			DeleteOption: new(armcompute.DiskDeleteOptionTypesDelete),
			DiskSizeGB:   new(r.settings.OSDiskSizeGB),
			ManagedDisk: &armcompute.ManagedDiskParameters{
				StorageAccountType: new(armcompute.StorageAccountTypes(r.settings.OSDiskType)),
			},
		},
	}
}

func (r machineRequest) system() *armcompute.OSProfile {
	admin := r.settings.AdminUsername
	return &armcompute.OSProfile{
		ComputerName:  new(r.name),
		AdminUsername: new(admin),
		CustomData:    new(base64.StdEncoding.EncodeToString(r.spec.CustomData)),
		LinuxConfiguration: &armcompute.LinuxConfiguration{
			DisablePasswordAuthentication: new(true),
			SSH: &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{{
				Path:    new("/home/" + admin + "/.ssh/authorized_keys"),
				KeyData: new(r.spec.AuthorizedKey),
			}}},
		},
	}
}

func (r machineRequest) inlineNIC() *armcompute.VirtualMachineNetworkInterfaceConfiguration {
	return &armcompute.VirtualMachineNetworkInterfaceConfiguration{
		Name: new(nicName(r.name)),
		Tags: ownersOnly(r.tags),
		Properties: &armcompute.VirtualMachineNetworkInterfaceConfigurationProperties{
			Primary:      new(true),
			DeleteOption: new(armcompute.DeleteOptionsDelete),
			IPConfigurations: []*armcompute.VirtualMachineNetworkInterfaceIPConfiguration{{
				Name: new("ipconfig1"),
				Properties: &armcompute.VirtualMachineNetworkInterfaceIPConfigurationProperties{
					Primary:                      new(true),
					Subnet:                       &armcompute.SubResource{ID: new(r.subnetID)},
					PublicIPAddressConfiguration: r.inlineIP(),
				},
			}},
		},
	}
}

// inlineIP is the machine's public address. Standard addresses are static, so that it
// survives a deallocation.
func (r machineRequest) inlineIP() *armcompute.VirtualMachinePublicIPAddressConfiguration {
	return &armcompute.VirtualMachinePublicIPAddressConfiguration{
		Name: new(ipName(r.name)),
		Tags: ownersOnly(r.tags),
		SKU: &armcompute.PublicIPAddressSKU{
			Name: new(armcompute.PublicIPAddressSKUNameStandard), Tier: new(armcompute.PublicIPAddressSKUTierRegional),
		},
		Properties: &armcompute.VirtualMachinePublicIPAddressConfigurationProperties{
			DeleteOption:             new(armcompute.DeleteOptionsDelete),
			PublicIPAddressVersion:   new(armcompute.IPVersionsIPv4),
			PublicIPAllocationMethod: new(armcompute.PublicIPAllocationMethodStatic),
		},
	}
}
