package config

import (
	"slices"
	"strings"
)

// field binds one key to the variable that holds its value.
type field struct {
	key    string        // full key, "providers.azure.cloud"
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
		text("default_provider", &s.DefaultProvider, instanceName),
		flag("headless", &s.Headless),
		text("commands.create.type", &s.Create.Type, optional(typeName)),
		flag("commands.create.connect", &s.Create.Connect),
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
	return []field{
		text("backend", &p.Backend, oneOf("azure")),
		flag("is_enabled", &p.IsEnabled),
		text("cloud", &p.Cloud, oneOf("public", "usgov", "china", "local")),

		text("subscription_id", &p.SubscriptionID, optional(subscriptionID)),
		text("default_region", &p.DefaultRegion, region),
		text("resource_group", &p.ResourceGroup, resourceGroup),
		flag("use_existing_group", &p.UseExistingGroup),

		text("vnet_name", &p.VnetName, networkName(2, 64)),
		text("subnet_name", &p.SubnetName, networkName(1, 80)),
		text("nsg_name", &p.NSGName, networkName(1, 80)),
		text("vnet_address_prefix", &p.VnetAddressPrefix, networkPrefix),
		text("subnet_address_prefix", &p.SubnetAddressPrefix, optional(networkPrefix)),
		list("allowed_ssh_cidrs", &p.AllowedSSHCIDRs, sourceCIDR),
		text("my_address_url", &p.MyAddressURL, webURL),
		{"associate_public_ip", &p.AssociatePublicIP, func() *fault { return publicIP(p.AssociatePublicIP) }},

		text("default_vm_size", &p.DefaultVMSize, vmSize),
		text("default_spot_vm_size", &p.DefaultSpotVMSize, spotSize),
		list("fallback_vm_sizes", &p.FallbackVMSizes, vmSize),
		list("fallback_regions", &p.FallbackRegions, region),
		text("spot_eviction_policy", &p.SpotEvictionPolicy, oneOf("Delete", "Deallocate")),
		{"spot_max_price", &p.SpotMaxPrice, func() *fault { return maxPrice(p.SpotMaxPrice) }},
		text("image_publisher", &p.ImagePublisher, imageWord),
		text("image_offer", &p.ImageOffer, imageWord),
		text("image_sku", &p.ImageSKU, imageWord),
		text("image_version", &p.ImageVersion, imageVersion),
		text("admin_username", &p.AdminUsername, adminUsername),
		number("os_disk_size_gb", &p.OSDiskSizeGB, between(1, 4095)),
		text("os_disk_type", &p.OSDiskType, oneOf("Standard_LRS", "StandardSSD_LRS", "Premium_LRS", "StandardSSD_ZRS", "Premium_ZRS")),

		number("container_ssh_port", &p.ContainerSSHPort, containerPort),
		text("default_image", &p.DefaultImage, containerImage),
		list("default_start_args", &p.DefaultStartArgs, startArg),
		text("docker_runtime", &p.DockerRuntime, optional(runtimeName)),
		list("docker_packages", &p.DockerPackages, debianPackage),
		number("default_idle_timeout", &p.DefaultIdleTimeout, between(0, maxSeconds)),
		text("default_idle_mode", &p.DefaultIdleMode, optional(oneOf(IdleModes()...))),
		number("auto_shutdown_seconds", &p.AutoShutdownSeconds, lifetime),
	}
}

func text(key string, p *string, check func(string) *fault) field {
	return field{key, p, func() *fault { return check(*p) }}
}

func number(key string, p *int, check func(int) *fault) field {
	return field{key, p, func() *fault { return check(*p) }}
}

func flag(key string, p *bool) field {
	return field{key, p, func() *fault { return nil }}
}

func list(key string, p *[]string, check func(string) *fault) field {
	return field{key, p, func() *fault {
		for _, s := range *p {
			if f := check(s); f != nil {
				return f
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
