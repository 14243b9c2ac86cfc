package network

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"mngr/internal/azlocal/machine"
)

// verdict evaluates a rule list as a driver does: first match wins, nothing means deny.
func verdict(rules []machine.Rule, protocol string, from netip.Addr, port uint16) bool {
	for _, r := range rules {
		if r.Protocol != "*" && r.Protocol != protocol {
			continue
		}
		ok := len(r.Sources) == 0
		for _, p := range r.Sources {
			ok = ok || p.Contains(from)
		}
		in := len(r.Ports) == 0
		for _, p := range r.Ports {
			in = in || p.First <= port && port <= p.Last
		}
		if ok && in {
			return r.Allow
		}
	}
	return false
}

func genRules(t *rapid.T, name string) []machine.Rule {
	n := rapid.IntRange(0, 4).Draw(t, name)
	var out []machine.Rule
	for i := range n {
		r := machine.Rule{Priority: 100 + i, Allow: rapid.Bool().Draw(t, "allow"), Protocol: rapid.SampledFrom([]string{"*", "Tcp", "Udp"}).Draw(t, "protocol")}
		for range rapid.IntRange(0, 2).Draw(t, "sources") {
			a := netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 3).Draw(t, "a")), byte(rapid.IntRange(0, 3).Draw(t, "b")), 0})
			r.Sources = append(r.Sources, netip.PrefixFrom(a, rapid.IntRange(8, 24).Draw(t, "bits")).Masked())
		}
		for range rapid.IntRange(0, 2).Draw(t, "ports") {
			first := rapid.IntRange(0, 9).Draw(t, "first")
			r.Ports = append(r.Ports, machine.PortRange{First: uint16(first), Last: uint16(rapid.IntRange(first, 10).Draw(t, "last"))})
		}
		out = append(out, r)
	}
	return append(out, machine.Rule{Priority: 65500, Protocol: "*"})
}

// TestPair checks that one list decides as both groups one after the other.
func TestPair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outer, inner := genRules(t, "outer"), genRules(t, "inner")
		both := pair(outer, inner)
		for range 20 {
			from := netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 3).Draw(t, "x")), byte(rapid.IntRange(0, 3).Draw(t, "y")), 7})
			port, protocol := uint16(rapid.IntRange(0, 10).Draw(t, "port")), rapid.SampledFrom([]string{"Tcp", "Udp"}).Draw(t, "p")
			want := verdict(outer, protocol, from, port) && verdict(inner, protocol, from, port)
			if got := verdict(both, protocol, from, port); got != want {
				t.Fatalf("%s from %s to %d: %v, want %v\nouter %v\ninner %v\nboth %v", protocol, from, port, got, want, outer, inner, both)
			}
		}
	})
}

// TestComplement checks that "Internet" is what the network is not.
func TestComplement(t *testing.T) {
	vnet := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("192.168.3.0/24")}
	rest := complement(vnet)
	for addr, inside := range map[string]bool{"10.0.3.4": true, "192.168.3.255": true, "10.1.0.0": false, "127.20.0.1": false, "192.168.2.255": false, "255.255.255.255": false, "0.0.0.0": false} {
		found := 0
		for _, p := range rest {
			if p.Contains(netip.MustParseAddr(addr)) {
				found++
			}
		}
		if (found == 0) != inside || found > 1 {
			t.Errorf("%s: in %d parts of the complement, inside %v", addr, found, inside)
		}
	}
}
