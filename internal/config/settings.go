package config

// Settings are the merged settings of all layers.
type Settings struct {
	DefaultProvider string // the instance used where none is named
	Headless        bool   // never prompt, never attach to a terminal
	Providers       map[string]*Provider
	Create          Create
}

// Create holds defaults for the flags of `mngr create`.
type Create struct {
	Type    string // agent type; "" when none is configured
	Connect bool   // connect to a new agent when there is a terminal
}

// Provider is one provider instance, the table [providers.NAME].
type Provider struct {
	Name     string
	Implicit bool // no settings file has a table for it

	Backend   string // always "azure"
	IsEnabled bool   // false hides the instance from list and create
	Cloud     string // public, usgov, china, local, or custom: Endpoints say where
	Endpoints Endpoints

	SubscriptionID   string // "" to ask the environment and the Azure CLI's profile
	DefaultRegion    string
	ResourceGroup    string
	UseExistingGroup bool // prepare writes nothing on the group itself

	VnetName            string
	SubnetName          string
	NSGName             string
	VnetAddressPrefix   string // CIDR
	SubnetAddressPrefix string // CIDR, within the vnet's
	AllowedSSHCIDRs     []string
	MyAddressURL        string // answers with the caller's public address, for `--allowed-ssh-cidr me`
	AssociatePublicIP   bool

	DefaultVMSize      string
	DefaultSpotVMSize  string
	FallbackVMSizes    []string // tried in order where Azure has no such machine now
	FallbackRegions    []string // likewise, each prepared before
	SpotEvictionPolicy string   // Delete or Deallocate
	SpotMaxPrice       float64  // USD an hour for a Spot machine; -1: up to the usual price
	ImagePublisher     string
	ImageOffer         string
	ImageSKU           string
	ImageVersion       string
	AdminUsername      string
	OSDiskSizeGB       int // GiB
	OSDiskType         string

	ContainerSSHPort   int    // the VM's port that leads to the container's SSH server
	DefaultImage       string // container image
	DefaultStartArgs   []string
	DockerRuntime      string   // --runtime of docker run; "" for the engine's default
	DockerPackages     []string // Debian packages that bring the Docker engine
	DefaultIdleTimeout int      // seconds; 0: never
	DefaultIdleMode    string   // "" to choose by agent type
	MaxHosts           int      // no more hosts than this in the group; 0: any number
	MaxHourlyCost      float64  // USD an hour of all hosts of the group; 0: any

	AutoShutdownSeconds int // seconds from boot to the machine's own deallocation; 0: never
}

// CloudCustom is the cloud of an instance that has a table [providers.NAME.cloud].
const CloudCustom = "custom"

// Endpoints say where a cloud of one's own is.
type Endpoints struct {
	ResourceManager string // https URL
	Authority       string // https URL of Entra
	Audience        string // of tokens; "" for the public cloud's
	CAFile          string // absolute path; "" for the system's authorities
	RetailPrices    string // https URL of its Retail Prices API; "" where it has none
}

// Names of the instances that exist without a table in any settings file.
const (
	implicitAzure = "azure"
	implicitLocal = "azure-local"
)

func defaults() Settings {
	return Settings{
		DefaultProvider: implicitAzure,
		Create:          Create{Connect: true},
		Providers: map[string]*Provider{
			implicitAzure: newProvider(implicitAzure),
			implicitLocal: newProvider(implicitLocal),
		},
	}
}

func newProvider(name string) *Provider {
	p := &Provider{
		Name:               name,
		Implicit:           true,
		Backend:            "azure",
		IsEnabled:          true,
		Cloud:              "public",
		DefaultRegion:      "westus",
		ResourceGroup:      "mngr",
		VnetName:           "mngr-vnet",
		SubnetName:         "mngr-subnet",
		NSGName:            "mngr-nsg",
		VnetAddressPrefix:  "10.0.0.0/16",
		AllowedSSHCIDRs:    []string{"0.0.0.0/0"},
		MyAddressURL:       "https://api.ipify.org",
		AssociatePublicIP:  true,
		DefaultVMSize:      "Standard_B2s",
		DefaultSpotVMSize:  "Standard_D2s_v5",
		SpotEvictionPolicy: "Delete",
		SpotMaxPrice:       -1,
		ImagePublisher:     "Debian",
		ImageOffer:         "debian-12",
		ImageSKU:           "12-gen2",
		ImageVersion:       "latest",
		AdminUsername:      "azureuser",
		OSDiskSizeGB:       30,
		OSDiskType:         "StandardSSD_LRS",
		ContainerSSHPort:   2222,
		DefaultImage:       "debian:bookworm-slim",
		DockerPackages:     []string{"docker.io"},

		DefaultIdleTimeout: 800,
	}
	if name == implicitLocal {
		p.Cloud = "local"
	}
	return p
}
