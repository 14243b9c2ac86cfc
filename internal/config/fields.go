package config

import (
	"fmt"
	"slices"
	"strings"
)

// field binds one key to the variable that holds its value.
type field struct {
	key    string        // full key, "providers.azure.cloud"
	about  string        // what it means, for a table: one sentence without a full stop
	ptr    any           // *string, *bool, *int, *float64 or *[]string
	verify func() *fault // judges the value that ptr holds
}

// fault says what is wrong with a value and what to write instead.
type fault struct{ cause, hint string }

// fields lists every key of s, sorted by table.
func (s *Settings) fields() []field {
	all := s.topFields()
	for _, name := range s.names() {
		prefix := "providers." + name + "."
		for _, f := range s.Providers[name].fields() {
			f.key = prefix + f.key
			all = append(all, f)
		}
	}
	return all
}

func (s *Settings) topFields() []field {
	return []field{
		text("default_provider", "instance that `create` uses where none is named", &s.DefaultProvider, instanceName),
		boolean("headless", "never ask and never attach a terminal", &s.Headless),
		text("commands.create.type", "agent type of `create` where none is named", &s.Create.Type, optional(typeName)),
		boolean("commands.create.connect", "connect to a new agent when there is a terminal", &s.Create.Connect),
	}
}

func (s *Settings) names() []string {
	names := make([]string, 0, len(s.Providers))
	for name := range s.Providers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// fields lists the keys of the table [providers.NAME], without that prefix.
func (p *Provider) fields() []field {
	return slices.Concat(p.instanceFields(), p.networkFields(), p.machineFields(), p.containerFields())
}

func (p *Provider) instanceFields() []field {
	return []field{
		text("backend", "kind of provider; there is one", &p.Backend, backend),
		boolean("is_enabled", "false hides the instance from `list`, `create` and all else", &p.IsEnabled),
		text("cloud", "which Azure: `public`, `usgov`, `china`, `local` (Azure on this machine), or a table of endpoints", &p.Cloud, cloudName),
		text("cloud.resource_manager", "https URL of Resource Manager in a cloud of one's own", &p.Endpoints.ResourceManager, optional(secureURL)),
		text("cloud.authority", "https URL of Entra in a cloud of one's own", &p.Endpoints.Authority, optional(secureURL)),
		text("cloud.audience", "resource that its tokens are asked for; empty for the public cloud's", &p.Endpoints.Audience, optional(audience)),
		text("cloud.ca_file", "PEM file of its certificate authority; empty for the system's", &p.Endpoints.CAFile, optional(absolutePath)),
		text("cloud.retail_prices", "https URL of its Retail Prices API; empty where it has none", &p.Endpoints.RetailPrices, optional(secureURL)),

		text("subscription_id", "empty for `AZURE_SUBSCRIPTION_ID`, else the one that `az` has active", &p.SubscriptionID, optional(subscriptionID)),
		text("default_region", "region of the network that `prepare` makes, and of new hosts", &p.DefaultRegion, region),
		text("resource_group", "group that holds the network and every host", &p.ResourceGroup, resourceGroup),
		number("max_hosts", "`create` refuses to let the group have more hosts than this, stopped ones included; 0 for any number", &p.MaxHosts, between(0, 10000)),
		{
			"max_hourly_cost", "`create` and `start` refuse what would let the group's hosts cost more USD an hour than this; 0 for any sum", &p.MaxHourlyCost,
			func() *fault { return maxCost(p.MaxHourlyCost) },
		},
		boolean("use_existing_group", "the group is somebody else's: `prepare` writes nothing on the group itself", &p.UseExistingGroup),
	}
}

func (p *Provider) networkFields() []field {
	return []field{
		text("vnet_name", "virtual network; another region R has `NAME-R`", &p.VnetName, networkName(2, 64)),
		text("subnet_name", "subnet that hosts are attached to", &p.SubnetName, networkName(1, 80)),
		text("nsg_name", "network security group of the subnet; another region R has `NAME-R`", &p.NSGName, networkName(1, 80)),
		text("vnet_address_prefix", "address space of the network, a CIDR from /2 to /29", &p.VnetAddressPrefix, networkPrefix),
		text("subnet_address_prefix", "subnet within it; empty for its first /24", &p.SubnetAddressPrefix, optional(networkPrefix)),
		list("allowed_ssh_cidrs", "sources that may reach the SSH ports; `[]` for nobody", &p.AllowedSSHCIDRs, sourceCIDR),
		text("my_address_url", "answers with the caller's public address, for `--allowed-ssh-cidr me`", &p.MyAddressURL, webURL),
		{
			"associate_public_ip", "hosts have a public address; only true is possible yet", &p.AssociatePublicIP,
			func() *fault { return publicIP(p.AssociatePublicIP) },
		},
	}
}

func (p *Provider) machineFields() []field {
	return []field{
		text("default_vm_size", "size of new hosts", &p.DefaultVMSize, vmSize),
		text("default_spot_vm_size", "size of new Spot hosts, which cannot be of the B series", &p.DefaultSpotVMSize, spotSize),
		list("fallback_vm_sizes", "tried in order where Azure has no machine of the wanted size now", &p.FallbackVMSizes, vmSize),
		list("fallback_regions", "tried in order likewise, each prepared before", &p.FallbackRegions, region),
		text("spot_eviction_policy", "what becomes of an evicted Spot host: `Delete` or `Deallocate`", &p.SpotEvictionPolicy, oneOf(evictionPolicies()...)),
		{
			"spot_max_price", "most USD an hour for a Spot host; -1 for up to the usual price", &p.SpotMaxPrice,
			func() *fault { return maxPrice(p.SpotMaxPrice) },
		},
		text("image_publisher", "publisher of the machine's image", &p.ImagePublisher, imageWord),
		text("image_offer", "offer of the machine's image", &p.ImageOffer, imageWord),
		text("image_sku", "SKU of the machine's image", &p.ImageSKU, imageWord),
		text("image_version", "`latest` or three numbers", &p.ImageVersion, imageVersion),
		text("admin_username", "user that Azure makes on the machine; mngr itself enters as root", &p.AdminUsername, adminUsername),
		number("os_disk_size_gb", "size of the only disk, GiB", &p.OSDiskSizeGB, between(1, 4095)),
		text("os_disk_type", "one of "+codes(diskTypes()), &p.OSDiskType, oneOf(diskTypes()...)),
		list("docker_packages", "Debian packages that bring the Docker engine", &p.DockerPackages, debianPackage),
	}
}

func (p *Provider) containerFields() []field {
	return []field{
		number("container_ssh_port", "port of the machine that leads to the container's SSH server; `prepare` opens it", &p.ContainerSSHPort, containerPort),
		text("default_image", "container image where nothing is built", &p.DefaultImage, containerImage),
		list("default_start_args", "arguments of `docker run` for every container, before those of `-s`", &p.DefaultStartArgs, startArg),
		text("docker_runtime", "`--runtime` of `docker run`; empty for the engine's own", &p.DockerRuntime, optional(runtimeName)),
		number("default_idle_timeout", "seconds without activity after which a host deallocates itself; 0 for never", &p.DefaultIdleTimeout, between(0, maxSeconds)),
		text("default_idle_mode", "what counts as activity: "+codes(IdleModes())+"; empty to choose by agent type", &p.DefaultIdleMode, optional(oneOf(IdleModes()...))),
		number("auto_shutdown_seconds", "seconds from boot after which a new host deallocates itself, busy or not; 0 for never", &p.AutoShutdownSeconds, lifetime),
	}
}

func codes(words []string) string { return "`" + strings.Join(words, "`, `") + "`" }

func text(key, about string, p *string, check func(string) *fault) field {
	return field{key, about, p, func() *fault { return check(*p) }}
}

func number(key, about string, p *int, check func(int) *fault) field {
	return field{key, about, p, func() *fault { return check(*p) }}
}

func boolean(key, about string, p *bool) field {
	return field{key, about, p, func() *fault { return nil }}
}

func list(key, about string, p *[]string, check func(string) *fault) field {
	return field{key, about, p, func() *fault {
		for i, s := range *p {
			if f := check(s); f != nil {
				return f
			}
			if key != "default_start_args" && slices.Contains((*p)[:i], s) {
				return &fault{fmt.Sprintf("%q stands in it twice", s), "remove one of them"}
			}
		}
		return nil
	}}
}

// find returns the field of a full key. A provider instance that s lacks is added when
// create is set.
func (s *Settings) find(key string, create bool) (field, bool) {
	name, rest, ok := instanceKey(key)
	if !ok {
		return pick(s.topFields(), key)
	}
	p := s.Providers[name]
	if p == nil {
		if !create || instanceName(name) != nil {
			return field{}, false
		}
		p = newProvider(name)
	}
	f, ok := pick(p.fields(), rest)
	if ok {
		s.Providers[name] = p
	}
	f.key = key
	return f, ok
}

func pick(fields []field, key string) (field, bool) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
	if i < 0 {
		return field{}, false
	}
	return fields[i], true
}

// instanceKey splits "providers.NAME.KEY".
func instanceKey(key string) (name, rest string, ok bool) {
	after, ok := strings.CutPrefix(key, "providers.")
	if !ok {
		return "", "", false
	}
	return strings.Cut(after, ".")
}
