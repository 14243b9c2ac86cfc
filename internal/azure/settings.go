package azure

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"mngr/internal/agent"
)

// Cloud names the Azure that a provider instance talks to.
type Cloud string

// Clouds.
const (
	CloudPublic Cloud = "public"
	CloudUSGov  Cloud = "usgov"
	CloudChina  Cloud = "china"
	CloudLocal  Cloud = "local"  // Azure on this machine, found by its state directory
	CloudCustom Cloud = "custom" // Settings.Endpoints says where
)

// Endpoints say where a custom cloud is.
type Endpoints struct {
	ResourceManager string // https URL of ARM
	Authority       string // https URL of Entra
	Audience        string // resource that tokens are asked for; "" for ARM's usual one
	CAFile          string // PEM of a private authority; "" for the system's
}

// Image is a marketplace image, in the four parts of its URN.
type Image struct {
	Publisher, Offer, SKU, Version string
}

// Settings configure one provider instance. Defaults has the usual values.
type Settings struct {
	Name           string // of the instance, value of the tag mngr-provider
	Cloud          Cloud
	Endpoints      Endpoints // for CloudCustom only
	SubscriptionID string    // "" for the environment's, else the login's
	Region         string    // where hosts are made by default
	ResourceGroup  string    // holds the network and every VM

	// Names in the default region; another region R has "<VNetName>-R" and "<NSGName>-R".
	VNetName     string
	SubnetName   string
	NSGName      string
	VNetPrefix   string // CIDR
	SubnetPrefix string // CIDR, within VNetPrefix

	VMSize           string
	SpotVMSize       string  // for Spot when no size is asked for: B-series cannot be Spot
	EvictDeallocates bool    // a Spot machine that is evicted keeps its disk, else it is deleted
	SpotMaxPrice     float64 // USD an hour; -1 for up to the usual price

	// Tried in order where Azure has no capacity for a machine; see Candidates.
	FallbackVMSizes []string
	FallbackRegions []string

	Image         Image
	AdminUsername string
	OSDiskSizeGB  int32
	OSDiskType    string // storage account type, for example StandardSSD_LRS

	// AllowedSSHCIDRs are the sources that may reach the SSH ports. nil means: nothing
	// said, so 0.0.0.0/0 for a new network and hands off an existing one. Empty but not
	// nil means: nobody.
	AllowedSSHCIDRs  []string
	ContainerSSHPort int

	// SelfStop gives every machine an identity that may deallocate itself when idle.
	SelfStop bool

	// LocalDir is the state directory of the local Azure; "" for $MNGR_AZLOCAL_DIR, else
	// the user's state directory.
	LocalDir string

	// Logins are shared by the instances of a process; nil for a login of its own.
	Logins *Logins

	// Journal is told of every write; nil for nobody.
	Journal Journal

	// PollInterval is the pause between two looks at an operation; 0 for two seconds.
	PollInterval time.Duration
}

// Defaults returns the settings of an instance about which nothing is configured.
func Defaults() Settings {
	return Settings{
		Name:             "azure",
		Cloud:            CloudPublic,
		Region:           "westus",
		ResourceGroup:    "mngr",
		VNetName:         "mngr-vnet",
		SubnetName:       "mngr-subnet",
		NSGName:          "mngr-nsg",
		VNetPrefix:       "10.0.0.0/16",
		SubnetPrefix:     "10.0.0.0/24",
		VMSize:           "Standard_B2s",
		SpotVMSize:       "Standard_D2s_v5",
		SpotMaxPrice:     -1,
		Image:            Image{"Debian", "debian-12", "12-gen2", "latest"},
		AdminUsername:    "azureuser",
		OSDiskSizeGB:     30,
		OSDiskType:       "StandardSSD_LRS",
		ContainerSSHPort: 2222,
		SelfStop:         true,
	}
}

// validate refuses settings that Azure would refuse later, or worse, accept.
func (s Settings) validate() error {
	for _, f := range []struct{ key, value string }{
		{"name", s.Name}, {"default_region", s.Region}, {"resource_group", s.ResourceGroup},
		{"vnet_name", s.VNetName}, {"subnet_name", s.SubnetName}, {"nsg_name", s.NSGName},
		{"default_vm_size", s.VMSize}, {"admin_username", s.AdminUsername},
	} {
		if f.value == "" {
			return agent.Errorf(agent.KindUsage, "provider %q: %s is empty", s.Name, f.key)
		}
		if strings.ContainsAny(f.value, "/?#%\\") {
			return agent.Errorf(agent.KindUsage, "provider %q: %s %q cannot be part of a resource id",
				s.Name, f.key, f.value)
		}
	}
	switch s.Cloud {
	case CloudPublic, CloudUSGov, CloudChina, CloudLocal, CloudCustom:
	default:
		return agent.Errorf(agent.KindUsage, "provider %q: unknown cloud %q", s.Name, s.Cloud).
			WithHint("cloud is one of public, usgov, china, local, or a table of endpoints")
	}
	if isBurstable(s.SpotVMSize) {
		return agent.Errorf(agent.KindUsage, "provider %q: default_spot_vm_size %s cannot be Spot: Azure has no B-series Spot machines",
			s.Name, s.SpotVMSize)
	}
	if s.SpotMaxPrice != -1 && s.SpotMaxPrice <= 0 {
		return agent.Errorf(agent.KindUsage, "provider %q: spot_max_price %v is neither -1 nor a price", s.Name, s.SpotMaxPrice)
	}
	if s.ContainerSSHPort < 1 || s.ContainerSSHPort > 65535 || s.ContainerSSHPort == 22 {
		return agent.Errorf(agent.KindUsage, "provider %q: container_ssh_port %d is not a free TCP port",
			s.Name, s.ContainerSSHPort)
	}
	if err := checkPrefixes(s.VNetPrefix, s.SubnetPrefix); err != nil {
		return agent.Errorf(agent.KindUsage, "provider %q: %w", s.Name, err)
	}
	if _, err := parseCIDRs(s.AllowedSSHCIDRs); err != nil {
		return agent.Errorf(agent.KindUsage, "provider %q: allowed_ssh_cidrs: %w", s.Name, err)
	}
	return nil
}

func checkPrefixes(vnet, subnet string) error {
	v, err := netip.ParsePrefix(vnet)
	if err != nil {
		return fmt.Errorf("vnet_address_prefix %q is no CIDR", vnet)
	}
	s, err := netip.ParsePrefix(subnet)
	if err != nil {
		return fmt.Errorf("subnet_address_prefix %q is no CIDR", subnet)
	}
	if !v.Contains(s.Addr()) || s.Bits() < v.Bits() {
		return fmt.Errorf("subnet_address_prefix %s is not within vnet_address_prefix %s", subnet, vnet)
	}
	return nil
}

// network names the resources that a region's hosts are attached to.
type network struct {
	region, vnet, subnet, nsg string
}

func (s Settings) network(region string) network {
	n := network{region: normalRegion(region), vnet: s.VNetName, subnet: s.SubnetName, nsg: s.NSGName}
	if region == "" {
		n.region = normalRegion(s.Region)
	}
	if n.region != normalRegion(s.Region) {
		n.vnet += "-" + n.region
		n.nsg += "-" + n.region
	}
	return n
}

// normalRegion accepts display names too: "West US" is westus.
func normalRegion(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, " ", ""))
}
