package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// settle derives what depends on other keys and refuses combinations that cannot work.
func (c *Config) settle() error {
	if _, ok := c.Providers[c.DefaultProvider]; !ok {
		return &Problem{c.Origin("default_provider"), "default_provider", fault{
			fmt.Sprintf("there is no provider instance %q", c.DefaultProvider),
			"mngr config set default_provider NAME # changes it; known are " + strings.Join(c.names(), ", "),
		}}
	}
	for _, name := range c.names() {
		p := c.Providers[name]
		vnet := netip.MustParsePrefix(p.VnetAddressPrefix)
		if p.SubnetAddressPrefix == "" {
			p.SubnetAddressPrefix = netip.PrefixFrom(vnet.Addr(), max(24, vnet.Bits())).String()
		}
		for _, rule := range []func(*Provider) (string, *fault){c.cloudRule, c.subnetRule, c.diskRule, c.fallbackRule, c.lifetimeRule} {
			if key, wrong := rule(p); wrong != nil {
				key = "providers." + name + "." + key
				return &Problem{c.Origin(key), key, *wrong}
			}
		}
	}
	return c.neighbourRules()
}

// given tells whether some layer sets a key of an instance.
func (c *Config) given(p *Provider, key string) bool {
	return c.IsSet("providers." + p.Name + "." + key)
}

// at says where a key of an instance stands.
func (c *Config) at(p *Provider, key string) string {
	return c.Origin("providers." + p.Name + "." + key).String()
}

func (c *Config) cloudRule(p *Provider) (string, *fault) {
	switch {
	case p.Cloud == "local" && p.SubscriptionID != "":
		return "subscription_id", &fault{"the local Azure has one subscription, its own", "remove the key, or name another cloud"}
	case p.Cloud != CloudCustom:
	case p.Endpoints.ResourceManager == "":
		return "cloud", &fault{"a cloud of one's own needs resource_manager", "mngr config set providers." + p.Name + ".cloud.resource_manager URL"}
	case p.Endpoints.Authority == "":
		return "cloud", &fault{"a cloud of one's own needs authority", "mngr config set providers." + p.Name + ".cloud.authority URL"}
	}
	return "", nil
}

func (c *Config) subnetRule(p *Provider) (string, *fault) {
	vnet, subnet := netip.MustParsePrefix(p.VnetAddressPrefix), netip.MustParsePrefix(p.SubnetAddressPrefix)
	if vnet.Overlaps(subnet) && subnet.Bits() >= vnet.Bits() {
		return "", nil
	}
	return "subnet_address_prefix", &fault{
		fmt.Sprintf("%s is not within the virtual network %s", subnet, vnet),
		fmt.Sprintf("set vnet_address_prefix too (it stands in %s), or remove the key", c.at(p, "vnet_address_prefix")),
	}
}

func (c *Config) diskRule(p *Provider) (string, *fault) {
	if p.ImagePublisher == "Debian" && p.OSDiskSizeGB < 30 {
		return "os_disk_size_gb", &fault{fmt.Sprintf("%d GiB are less than the 30 GiB of Debian's images", p.OSDiskSizeGB), "write 30 or more"}
	}
	return "", nil
}

func (c *Config) fallbackRule(p *Provider) (string, *fault) {
	if slices.Contains(p.FallbackRegions, p.DefaultRegion) {
		return "fallback_regions", &fault{
			fmt.Sprintf("%s is the default region already (%s)", p.DefaultRegion, c.at(p, "default_region")), "remove it from the list",
		}
	}
	return "", nil
}

// lifetimeRule judges what was written only: the default timeout says nothing against a
// short life.
func (c *Config) lifetimeRule(p *Provider) (string, *fault) {
	if p.AutoShutdownSeconds > 0 && p.AutoShutdownSeconds < p.DefaultIdleTimeout && c.given(p, "default_idle_timeout") {
		return "auto_shutdown_seconds", &fault{
			fmt.Sprintf("%d s end every host before it can be idle for default_idle_timeout, %d s (%s)",
				p.AutoShutdownSeconds, p.DefaultIdleTimeout, c.at(p, "default_idle_timeout")),
			"make it longer, or the timeout shorter",
		}
	}
	return "", nil
}

// neighbourRules refuses two instances that would prepare one and the same resource
// differently. Instances that nobody wrote down, or that are switched off, disturb nobody.
func (c *Config) neighbourRules() error {
	var seen []*Provider
	for _, name := range c.names() {
		p := c.Providers[name]
		if p.Implicit || !p.IsEnabled {
			continue
		}
		for _, q := range seen {
			if !sameGroup(p, q) || p.VnetName != q.VnetName {
				continue
			}
			for _, d := range []struct{ key, mine, theirs string }{
				{"default_region", p.DefaultRegion, q.DefaultRegion},
				{"vnet_address_prefix", p.VnetAddressPrefix, q.VnetAddressPrefix},
				{"subnet_address_prefix", p.SubnetAddressPrefix, q.SubnetAddressPrefix},
			} {
				if d.mine == d.theirs || d.key == "subnet_address_prefix" && p.SubnetName != q.SubnetName {
					continue
				}
				key := "providers." + name + "." + d.key
				return &Problem{c.Origin(key), key, fault{
					fmt.Sprintf("it is %s, and %s for the instance %s, whose network %s in the group %s is the same", d.mine, d.theirs, q.Name, p.VnetName, p.ResourceGroup),
					"give one of them another resource_group or vnet_name",
				}}
			}
		}
		seen = append(seen, p)
	}
	return nil
}

func sameGroup(p, q *Provider) bool {
	return p.Cloud == q.Cloud && p.Endpoints == q.Endpoints &&
		strings.EqualFold(p.SubscriptionID, q.SubscriptionID) && strings.EqualFold(p.ResourceGroup, q.ResourceGroup)
}
