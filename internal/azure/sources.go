package azure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// anywhere admits everybody.
const anywhere = "0.0.0.0/0"

// parseCIDRs normalises sources: a bare address becomes a prefix of its own, and what
// another prefix covers is left out. nil stays nil.
func parseCIDRs(list []string) ([]string, error) {
	if list == nil {
		return nil, nil
	}
	var all []netip.Prefix
	for _, s := range list {
		p, err := parseCIDR(s)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	out := []string{}
	for i, p := range all {
		covered := false
		for j, other := range all {
			covered = covered || other.Contains(p.Addr()) && (other.Bits() < p.Bits() || other.Bits() == p.Bits() && j < i)
		}
		if !covered {
			out = append(out, p.String())
		}
	}
	return out, nil
}

func parseCIDR(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return p, fmt.Errorf("%q is neither a CIDR nor an address", s)
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if !p.Addr().Is4() {
		return p, fmt.Errorf("%q is IPv6, and hosts have IPv4 addresses", s)
	}
	return p.Masked(), nil
}

// sameSources compares what a rule admits with what it should: the portal writes single
// addresses without a prefix, and everybody as a star.
func sameSources(have, want []string) bool {
	return slices.Equal(canonical(have), canonical(want))
}

func canonical(sources []string) []string {
	var out []string
	for _, s := range sources {
		if p, err := parseCIDR(s); err == nil {
			s = p.String()
		}
		if s == "*" || strings.EqualFold(s, "any") {
			s = anywhere
		}
		out = append(out, strings.ToLower(s))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// open tells whether sources admit the whole internet.
func open(sources []string) bool {
	return slices.ContainsFunc(canonical(sources), func(s string) bool {
		return s == anywhere || s == "internet" || s == "::/0"
	})
}
