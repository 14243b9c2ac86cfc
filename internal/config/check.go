package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxSeconds is a year: longer waits are mistakes of unit.
const maxSeconds = 365 * 24 * 3600

// IdleModes lists what an idle mode may be.
func IdleModes() []string {
	return []string{"io", "user", "agent", "ssh", "create", "boot", "start", "run", "disabled"}
}

func cloudNames() []string { return []string{"public", "usgov", "china", "local"} }

func diskTypes() []string {
	return []string{"Standard_LRS", "StandardSSD_LRS", "Premium_LRS", "StandardSSD_ZRS", "Premium_ZRS"}
}

func evictionPolicies() []string { return []string{"Delete", "Deallocate"} }

func optional(check func(string) *fault) func(string) *fault {
	return func(s string) *fault {
		if s == "" {
			return nil
		}
		return check(s)
	}
}

func oneOf(words ...string) func(string) *fault {
	return func(s string) *fault {
		if slices.Contains(words, s) {
			return nil
		}
		return &fault{fmt.Sprintf("%q is not known", s), "write one of: " + strings.Join(words, ", ")}
	}
}

func backend(s string) *fault {
	if s == "azure" {
		return nil
	}
	return &fault{fmt.Sprintf("there is no backend %q; mngr runs agents on Azure only", s), `write backend = "azure", or remove the table`}
}

func cloudName(s string) *fault {
	f := oneOf(cloudNames()...)(s)
	if f != nil {
		f.hint += "; another cloud is a table, cloud.resource_manager and cloud.authority"
	}
	return f
}

func matching(pattern, what, hint string) func(string) *fault {
	return func(s string) *fault {
		if regexp.MustCompile(pattern).MatchString(s) {
			return nil
		}
		return &fault{fmt.Sprintf("%q is no %s", s, what), hint}
	}
}

func instanceName(s string) *fault {
	if len(s) <= 63 && instancePattern.MatchString(s) && !strings.Contains(s, "__") {
		return nil
	}
	return &fault{
		fmt.Sprintf("%q is no name of a provider instance", s),
		"use up to 63 letters, digits, hyphens and single underscores, for example azure-west",
	}
}

var instancePattern = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$`)

func typeName(s string) *fault {
	if len(s) <= 63 && instancePattern.MatchString(s) {
		return nil
	}
	return &fault{fmt.Sprintf("%q is no agent type", s), "write command or shell"}
}

func subscriptionID(s string) *fault {
	return matching(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`, "subscription id",
		"az account list -o table # shows yours, in the form 00000000-0000-0000-0000-000000000000")(s)
}

func region(s string) *fault {
	hint := "az account list-locations -o table # lists them; for example westus"
	if short := strings.ToLower(strings.ReplaceAll(s, " ", "")); short != s && regionPattern.MatchString(short) {
		hint = fmt.Sprintf("write %q", short)
	}
	if regionPattern.MatchString(s) {
		return nil
	}
	return &fault{fmt.Sprintf("%q is no region name", s), hint}
}

var regionPattern = regexp.MustCompile(`^[a-z][a-z0-9]{1,39}$`)

// The lengths and alphabets of resource names are Azure's: "Naming rules and
// restrictions for Azure resources" in its documentation.

func resourceGroup(s string) *fault {
	return matching(`^[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]$`, "name of a resource group",
		"use up to 90 letters, digits, underscores, hyphens, dots and parentheses, no dot at the end")(s)
}

func networkName(minimum, maximum int) func(string) *fault {
	word := matching(`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$`, "name of a network resource",
		fmt.Sprintf("use %d to %d letters, digits, underscores, dots and hyphens, a letter or digit first, no dot or hyphen last",
			minimum, maximum))
	return func(s string) *fault {
		if f := word(s); f != nil || (len(s) >= minimum && len(s) <= maximum) {
			return f
		}
		return &fault{fmt.Sprintf("%q has %d characters", s, len(s)), fmt.Sprintf("use %d to %d characters", minimum, maximum)}
	}
}

// networkPrefix judges the address space of a virtual network or subnet: Azure takes
// IPv4 prefixes from /2 to /29 and keeps some ranges for itself ("Azure Virtual Network
// frequently asked questions").
func networkPrefix(s string) *fault {
	p, f := cidr(s)
	if f != nil {
		return f
	}
	if p.Bits() < 2 || p.Bits() > 29 {
		return &fault{fmt.Sprintf("%s is outside Azure's limits", s), "use a prefix length from /2 to /29"}
	}
	for _, reserved := range []struct{ prefix, why string }{
		{"127.0.0.0/8", "loopback"},
		{"169.254.0.0/16", "link-local addresses, the metadata service among them"},
		{"168.63.129.16/32", "Azure's own services"},
		{"224.0.0.0/4", "multicast"},
		{"172.17.0.0/16", "the bridge of the Docker engine inside the machine"},
	} {
		if p.Overlaps(netip.MustParsePrefix(reserved.prefix)) {
			return &fault{
				fmt.Sprintf("%s overlaps %s (%s)", s, reserved.prefix, reserved.why),
				"take a private range, for example 10.0.0.0/16",
			}
		}
	}
	return nil
}

// sourceCIDR judges who may reach a host's SSH ports. Hosts have IPv4 addresses only.
func sourceCIDR(s string) *fault {
	if s == "me" {
		return &fault{"`me` is for the flag only: your address changes, and settings stay", "mngr azure prepare --allowed-ssh-cidr me"}
	}
	_, f := cidr(s)
	return f
}

func cidr(s string) (netip.Prefix, *fault) {
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
		return netip.Prefix{}, &fault{fmt.Sprintf("%q lacks a prefix length", s), fmt.Sprintf("write %q for this one address", s+"/32")}
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return p, &fault{fmt.Sprintf("%q is no CIDR range", s), "write an address and a prefix length, for example 203.0.113.4/32"}
	case !p.Addr().Is4():
		return p, &fault{fmt.Sprintf("%q is an IPv6 range; hosts have IPv4 addresses", s), "write an IPv4 range"}
	case p.Masked() != p:
		return p, &fault{fmt.Sprintf("%q has bits set after its prefix", s), fmt.Sprintf("write %q", p.Masked().String())}
	}
	return p, nil
}

func publicIP(associate bool) *fault {
	if associate {
		return nil
	}
	return &fault{
		"a host without a public address cannot be reached: there is no private path yet",
		"remove the key, or set it to true and narrow allowed_ssh_cidrs",
	}
}

func vmSize(s string) *fault {
	return matching(`^(Standard|Basic)_[A-Za-z0-9][A-Za-z0-9_-]{0,60}$`, "VM size",
		"`az vm list-skus --location REGION -o table` lists them; for example Standard_B2s")(s)
}

func spotSize(s string) *fault {
	if f := vmSize(s); f != nil {
		return f
	}
	if strings.HasPrefix(s, "Standard_B") || strings.HasPrefix(s, "Basic_") {
		return &fault{fmt.Sprintf("%q cannot be a Spot machine: Azure has no Spot for the B series", s), "take another series, for example Standard_D2s_v5"}
	}
	return nil
}

func imageWord(s string) *fault {
	return matching(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`, "part of an image's URN",
		"`az vm image list --all --publisher Debian -o table` shows publisher, offer, sku and version")(s)
}

func imageVersion(s string) *fault {
	return matching(`^(latest|[0-9]+\.[0-9]+\.[0-9]+)$`, "image version", `write "latest" or three numbers, for example "0.20260831.2587"`)(s)
}

// adminUsername follows useradd's alphabet and the names that Azure refuses
// (osProfile.adminUsername in the reference of Virtual Machines).
func adminUsername(s string) *fault {
	refused := []string{
		"1", "123", "a", "actuser", "adm", "admin", "admin1", "admin2", "administrator", "aspnet", "backup", "console",
		"david", "guest", "john", "owner", "root", "server", "sql", "support", "support_388945a0", "sys",
		"test", "test1", "test2", "test3", "user", "user1", "user2", "user3", "user4", "user5",
	}
	if slices.Contains(refused, s) {
		return &fault{fmt.Sprintf("Azure refuses the user name %q", s), `take another, for example "azureuser"`}
	}
	return matching(`^[a-z_][a-z0-9_-]{0,31}$`, "Linux user name", "use up to 32 lower-case letters, digits, hyphens and underscores")(s)
}

func between(low, high int) func(int) *fault {
	return func(n int) *fault {
		if n >= low && n <= high {
			return nil
		}
		return &fault{fmt.Sprintf("%d is out of range", n), fmt.Sprintf("write a number from %d to %d", low, high)}
	}
}

func containerPort(n int) *fault {
	if n == 22 {
		return &fault{"22 is the port of the virtual machine's own SSH server", "take another, for example 2222"}
	}
	return between(1, 65535)(n)
}

// lifetime allows no cap so short that a host could not even be created.
func lifetime(n int) *fault {
	if n == 0 {
		return nil
	}
	return between(300, maxSeconds)(n)
}

func startArg(s string) *fault {
	if s != "" && !strings.ContainsAny(s, "\x00\n\r") {
		return nil
	}
	return &fault{fmt.Sprintf("%q is no argument of docker run", s), "write one argument per element, without line breaks"}
}

func debianPackage(s string) *fault {
	return matching(`^[a-z0-9][a-z0-9+.-]+$`, "name of a Debian package", "for example docker.io")(s)
}

// maxPrice is Azure's rule for billingProfile.maxPrice: -1, or a price in USD an hour
// with up to five decimals ("Use Azure Spot Virtual Machines").
func maxPrice(usd float64) *fault {
	if usd == -1 || usd >= 0.00001 && usd <= 1000 {
		return nil
	}
	return &fault{fmt.Sprintf("%v is no price", usd), "write -1 for up to the usual price, or USD an hour, for example 0.05"}
}

// maxCost judges a limit in USD an hour.
func maxCost(usd float64) *fault {
	if usd == 0 || usd >= 0.0001 && usd <= 100000 {
		return nil
	}
	return &fault{fmt.Sprintf("%v is no limit", usd), "write 0 for none, or USD an hour, for example 0.5"}
}

// secureURL is an endpoint that tokens are sent to.
func secureURL(s string) *fault {
	u, err := url.Parse(s)
	if err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.RawQuery == "" {
		return nil
	}
	return &fault{fmt.Sprintf("%q is no https address", s), `for example "https://management.local.example.com"`}
}

// audience is a URI, or the id of an application.
func audience(s string) *fault {
	if u, err := url.Parse(s); err == nil && (u.IsAbs() || subscriptionID(s) == nil) && !strings.ContainsAny(s, " \t") {
		return nil
	}
	return &fault{fmt.Sprintf("%q is no audience", s), `for example "https://management.core.windows.net/"`}
}

func absolutePath(s string) *fault {
	if filepath.IsAbs(s) {
		return nil
	}
	return &fault{fmt.Sprintf("%q is no absolute path", s), "write it from the root: a settings file is read from many directories"}
}

func webURL(s string) *fault {
	u, err := url.Parse(s)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil {
		return nil
	}
	return &fault{fmt.Sprintf("%q is no web address", s), `for example "https://api.ipify.org"`}
}

func runtimeName(s string) *fault {
	return matching(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`, "name of a container runtime", "`docker info` on a host lists them; for example runsc")(s)
}
