package network

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/machine"
)

// tag is a service tag that stands for addresses.
type tag int

const (
	tagVNet tag = iota
	tagLoadBalancer
	tagInternet
	tagOther // a service of Azure: nothing here has its addresses
)

// serviceTag tells whether a source is a service tag. Any word is one: Azure has hundreds.
func serviceTag(s string) (tag, bool) {
	switch strings.ToLower(s) {
	case "virtualnetwork":
		return tagVNet, true
	case "azureloadbalancer":
		return tagLoadBalancer, true
	case "internet":
		return tagInternet, true
	}
	return tagOther, s != "" && strings.IndexFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '.' }) < 0
}

// parseAddress reads a CIDR or a single address.
func parseAddress(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("read the address %q: %w", s, err)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// parsePorts reads "22", "100-200" or "*".
func parsePorts(s string) (machine.PortRange, error) {
	if s == "*" {
		return machine.PortRange{First: 0, Last: 65535}, nil
	}
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		to = from
	}
	first, err := strconv.ParseUint(strings.TrimSpace(from), 10, 16)
	if err != nil {
		return machine.PortRange{}, fmt.Errorf("read the port %q: %w", s, err)
	}
	last, err := strconv.ParseUint(strings.TrimSpace(to), 10, 16)
	if err != nil || last < first {
		return machine.PortRange{}, fmt.Errorf("read the port range %q", s)
	}
	return machine.PortRange{First: uint16(first), Last: uint16(last)}, nil
}

func sourcesOf(rule doc.Object) []string {
	return nonEmpty(rule.Strings("sourceAddressPrefixes"), rule.Str("sourceAddressPrefix"))
}

func destinationsOf(rule doc.Object) []string {
	return nonEmpty(rule.Strings("destinationAddressPrefixes"), rule.Str("destinationAddressPrefix"))
}

func portsOf(rule doc.Object) []string {
	return nonEmpty(rule.Strings("destinationPortRanges"), rule.Str("destinationPortRange"))
}

func nonEmpty(many []string, one string) []string {
	if one == "" {
		return many
	}
	return append([]string{one}, many...)
}

// complement is every IPv4 address that is in none of the prefixes.
func complement(of []netip.Prefix) []netip.Prefix {
	return subtract(netip.PrefixFrom(netip.IPv4Unspecified(), 0), of)
}

func subtract(p netip.Prefix, holes []netip.Prefix) []netip.Prefix {
	for _, h := range holes {
		if h.Bits() <= p.Bits() && h.Overlaps(p) {
			return nil
		}
		if h.Overlaps(p) {
			low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
			a := p.Addr().As4()
			a[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
			high := netip.PrefixFrom(netip.AddrFrom4(a), p.Bits()+1)
			return append(subtract(low, holes), subtract(high, holes)...)
		}
	}
	return []netip.Prefix{p}
}
