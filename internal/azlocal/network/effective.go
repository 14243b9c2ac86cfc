package network

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
)

// Effective returns the inbound rules of an interface in the order of evaluation. A
// packet must pass the subnet's group and then the interface's; the two lists become one
// by pairing each Allow of the first with every rule of the second.
func Effective(t *fabric.Tx, nicID string) []machine.Rule {
	nic := t.Peek(nicID)
	if nic == nil {
		return nil
	}
	configs := nic.Body.List("properties", "ipConfigurations")
	if len(configs) == 0 {
		return nil
	}
	addr, _ := netip.ParseAddr(configs[0].Str("properties", "privateIPAddress"))
	subnet := t.Peek(configs[0].Str("properties", "subnet", "id"))
	if subnet == nil {
		return nil
	}
	at := place{addr: addr, vnet: vnetPrefixes(t, arm.Parent(subnet.ID))}
	outer := t.Peek(subnet.Body.Str("properties", "networkSecurityGroup", "id"))
	inner := t.Peek(nic.Body.Str("properties", "networkSecurityGroup", "id"))
	switch {
	case outer != nil && inner != nil:
		return pair(at.rules(t, outer), at.rules(t, inner))
	case outer != nil:
		return at.rules(t, outer)
	case inner != nil:
		return at.rules(t, inner)
	}
	// A Standard address without any group is closed to the Internet.
	return []machine.Rule{{Priority: 65000, Allow: true, Protocol: "*", Sources: at.vnet}, {Priority: 65500, Protocol: "*"}}
}

// place is where an interface is: what service tags mean to it.
type place struct {
	addr netip.Addr
	vnet []netip.Prefix
}

func vnetPrefixes(t *fabric.Tx, vnet string) []netip.Prefix {
	var out []netip.Prefix
	if d := t.Peek(vnet); d != nil {
		for _, s := range d.Body.Strings("properties", "addressSpace", "addressPrefixes") {
			if p, err := netip.ParsePrefix(s); err == nil {
				out = append(out, p.Masked())
			}
		}
	}
	return out
}

func (at place) rules(t *fabric.Tx, nsg *fabric.Document) []machine.Rule {
	var stored []doc.Object
	for _, d := range t.List(TypeRule, nsg.ID) {
		if !deleting(d) {
			stored = append(stored, d.Body.Obj("properties"))
		}
	}
	for _, d := range defaultRules(nsg) {
		stored = append(stored, d.(doc.Object).Obj("properties"))
	}
	slices.SortStableFunc(stored, func(a, b doc.Object) int { return cmp.Compare(a.Int("priority"), b.Int("priority")) })
	var out []machine.Rule
	for _, p := range stored {
		if rule, ok := at.rule(p); ok && strings.EqualFold(p.Str("direction"), "Inbound") {
			out = append(out, rule)
		}
	}
	return out
}

// rule translates a stored rule; ok is false when it can match nothing here.
func (at place) rule(p doc.Object) (r machine.Rule, ok bool) {
	if !at.isDestination(destinationsOf(p)) {
		return r, false
	}
	r = machine.Rule{Priority: p.Int("priority"), Allow: strings.EqualFold(p.Str("access"), "Allow"), Protocol: p.Str("protocol")}
	sources := sourcesOf(p)
	if !slices.ContainsFunc(sources, isAny) {
		for _, s := range sources {
			r.Sources = append(r.Sources, at.resolve(s)...)
		}
		if len(r.Sources) == 0 {
			return r, false
		}
	}
	for _, s := range portsOf(p) {
		ports, err := parsePorts(s)
		if err != nil {
			return r, false
		}
		if s == "*" {
			r.Ports = nil
			break
		}
		r.Ports = append(r.Ports, ports)
	}
	return r, true
}

func (at place) isDestination(list []string) bool {
	for _, s := range list {
		if isAny(s) {
			return true
		}
		for _, p := range at.resolve(s) {
			if p.Contains(at.addr) {
				return true
			}
		}
	}
	return len(list) == 0
}

func (at place) resolve(s string) []netip.Prefix {
	kind, isTag := serviceTag(s)
	if !isTag {
		p, err := parseAddress(s)
		if err != nil {
			return nil
		}
		return []netip.Prefix{p}
	}
	switch kind {
	case tagVNet:
		return at.vnet
	case tagLoadBalancer:
		return []netip.Prefix{netip.MustParsePrefix("168.63.129.16/32")}
	case tagInternet:
		return complement(at.vnet)
	}
	return nil
}

func isAny(s string) bool { return s == "*" || s == "0.0.0.0/0" }

// pair is the conjunction of two rule lists as one list, first match wins.
func pair(outer, inner []machine.Rule) []machine.Rule {
	var out []machine.Rule
	for _, a := range outer {
		if !a.Allow {
			out = append(out, a)
			continue
		}
		for _, b := range inner {
			if both, ok := intersect(a, b); ok {
				out = append(out, both)
			}
		}
	}
	for i := range out {
		out[i].Priority = i + 1
	}
	return out
}

func intersect(a, b machine.Rule) (machine.Rule, bool) {
	out := machine.Rule{Allow: b.Allow, Protocol: a.Protocol}
	switch {
	case a.Protocol == "*":
		out.Protocol = b.Protocol
	case b.Protocol != "*" && !strings.EqualFold(a.Protocol, b.Protocol):
		return out, false
	}
	var ok bool
	if out.Sources, ok = meet(a.Sources, b.Sources, func(x, y netip.Prefix) (netip.Prefix, bool) {
		if x.Bits() < y.Bits() {
			x, y = y, x
		}
		return x, y.Overlaps(x)
	}); !ok {
		return out, false
	}
	out.Ports, ok = meet(a.Ports, b.Ports, func(x, y machine.PortRange) (machine.PortRange, bool) {
		r := machine.PortRange{First: max(x.First, y.First), Last: min(x.Last, y.Last)}
		return r, r.First <= r.Last
	})
	return out, ok
}

// meet intersects two lists whose emptiness means "any".
func meet[T any](a, b []T, one func(T, T) (T, bool)) ([]T, bool) {
	if len(a) == 0 {
		return b, true
	}
	if len(b) == 0 {
		return a, true
	}
	var out []T
	for _, x := range a {
		for _, y := range b {
			if z, ok := one(x, y); ok {
				out = append(out, z)
			}
		}
	}
	return out, len(out) > 0
}

// governed returns the interfaces whose rules depend on a resource: a group or one of its
// rules, a subnet or vnet, or an interface itself.
func governed(t *fabric.Tx, id string) []string {
	switch arm.ParseID(id).Type() {
	case TypeInterface:
		return []string{id}
	case TypeRule:
		return governed(t, arm.Parent(id))
	case TypeNSG:
		var out []string
		for _, user := range t.Referrers(id) {
			out = append(out, governed(t, user)...)
		}
		return out
	case TypeSubnet:
		var out []string
		for _, user := range t.Referrers(id) {
			out = append(out, arm.Parent(user))
		}
		return out
	case TypeVNet:
		var out []string
		for _, s := range t.List(TypeSubnet, id) {
			out = append(out, governed(t, s.ID)...)
		}
		return out
	}
	return nil
}
