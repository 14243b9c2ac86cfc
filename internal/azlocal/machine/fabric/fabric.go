// Package fabric is what lies between the machines of one virtual network, as the switch of
// Azure's hosts does: a router namespace with one cable to each machine. Machines see no
// neighbour's Ethernet, only the router's; it filters by security rules, lets nobody send
// from an address that is not his, and keeps the two platform addresses to itself, so that
// no request to them ever leaves it, whatever a machine's root does. Only packages under
// internal/azlocal/machine import it.
package fabric

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/firewall"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/netns"
)

// Uplink is the router's way out, which whoever makes the router's namespace puts there.
const Uplink = "eth0"

// routerMAC is what every Azure host answers when a machine asks who has an address.
const routerMAC = "12:34:56:78:9a:bc"

// Metadata is where every machine finds the instance metadata service.
func Metadata() netip.AddrPort { return netip.MustParseAddrPort("169.254.169.254:80") }

// WireServer is Azure's platform address: agents' reports, and the machines' resolver.
func WireServer() netip.Addr { return netip.MustParseAddr("168.63.129.16") }

// Tap is the device of a bridged cable that a virtual machine opens.
const Tap = "tap0"

// Port is where a machine is plugged in.
type Port struct {
	Key    string // names the cable
	MAC    string // of the machine's end, 00-0D-3A-xx-xx-xx
	IP     netip.Addr
	Subnet netip.Prefix
	Rules  []machine.Rule
}

// PortOf is where a machine of this description is plugged in.
func PortOf(spec machine.Spec, rules []machine.Rule) Port {
	return Port{Key: spec.Key, MAC: spec.MAC, IP: spec.PrivateIP, Subnet: spec.Subnet, Rules: rules}
}

// Device is the router's end of the machine's cable.
func (p Port) Device() string { return "v" + p.Key }

// gateway is the first address of a subnet, which Azure keeps for itself.
func (p Port) gateway() netip.Addr { return p.Subnet.Masked().Addr().Next() }

// Router joins the machines of one virtual network.
type Router struct {
	ns      *netns.Namespace
	outside netip.Prefix

	mu    sync.Mutex
	ports map[string]Port
}

// NewRouter makes a router of a namespace whose Uplink is in the given prefix, and which it
// takes over. Doing it again to the same namespace changes nothing.
func NewRouter(ctx context.Context, ns *netns.Namespace, outside netip.Prefix) (*Router, error) {
	r := &Router{ns: ns, outside: outside, ports: map[string]Port{}}
	// First of all nothing gets out, then the addresses get an owner.
	setup := fmt.Sprintf("route replace blackhole 169.254.0.0/16\nroute replace blackhole %[1]s/32\n"+
		"addr replace %[2]s/32 dev lo\naddr replace %[1]s/32 dev lo\nlink set lo up\n", WireServer(), Metadata().Addr())
	if err := ns.Feed(ctx, setup, "ip", "-batch", "-"); err != nil {
		return nil, fmt.Errorf("set up the router: %w", err)
	}
	if err := r.filter(ctx); err != nil {
		return nil, err
	}
	return r, ns.Sysctl("ipv4/ip_forward", "1")
}

// Namespace is where the router's own sockets are opened.
func (r *Router) Namespace() *netns.Namespace { return r.ns }

// Attach lays the cable into a machine's namespace, which must be new, and configures both
// ends, the machine's by a batch for ip(8): the network is complete before anything runs in it.
func (r *Router) Attach(ctx context.Context, port Port, inside *netns.Namespace, machineSide string) error {
	r.unplug(ctx, port)
	if err := r.SetPort(ctx, port); err != nil {
		return err
	}
	if _, err := hostcmd.Run(ctx, "ip", "link", "add", port.Device(), "netns", r.ns.Path(),
		"type", "veth", "peer", "name", "eth0", "netns", inside.Path()); err != nil {
		return fmt.Errorf("lay a cable: %w", err)
	}
	if err := r.ns.Feed(ctx, port.routerSide(), "ip", "-batch", "-"); err != nil {
		return fmt.Errorf("configure the router's end of a cable: %w", err)
	}
	for path, value := range port.sysctls() {
		if err := r.ns.Sysctl(path, value); err != nil {
			return fmt.Errorf("configure the router's end of a cable: %w", err)
		}
	}
	if err := inside.Feed(ctx, machineSide, "ip", "-batch", "-"); err != nil {
		return fmt.Errorf("configure a machine's network: %w", err)
	}
	return nil
}

// routerSide also keeps the subnet's unused addresses from leaving by the uplink.
func (p Port) routerSide() string {
	return fmt.Sprintf("route replace blackhole %s\nlink set %[2]s address %s\naddr add %s/32 dev %[2]s\n"+
		"link set %[2]s up\nroute replace %[5]s/32 dev %[2]s src %[4]s\n",
		p.Subnet.Masked(), p.Device(), routerMAC, p.gateway(), p.IP)
}

// HardwareAddr is the MAC address as Linux writes it.
func (p Port) HardwareAddr() string { return strings.ToLower(strings.ReplaceAll(p.MAC, "-", ":")) }

// MachineSide configures eth0 as the machine's own, for ip(8).
func (p Port) MachineSide() string {
	return fmt.Sprintf("link set lo up\nlink set eth0 address %s\naddr add %s/%d broadcast + dev eth0\n"+
		"link set eth0 up\nroute add default via %s\n",
		p.HardwareAddr(), p.IP, p.Subnet.Bits(), p.gateway())
}

// BridgeSide leads eth0 on to a virtual machine's Tap, for ip(8). The namespace itself has
// no address: what is in it cannot be reached and reaches nothing.
func BridgeSide() string {
	return fmt.Sprintf("link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"+
		"link set br0 addrgenmode none\nlink set eth0 addrgenmode none\n"+
		"tuntap add dev %[1]s mode tap\nlink set %[1]s addrgenmode none\n"+
		"link set eth0 master br0\nlink set %[1]s master br0\n"+
		"link set eth0 up\nlink set %[1]s up\nlink set br0 up\n", Tap)
}

// sysctls make the router answer for every neighbour at once, and believe a source
// address only on its own cable.
func (p Port) sysctls() map[string]string {
	return map[string]string{
		"ipv4/conf/" + p.Device() + "/proxy_arp":    "1",
		"ipv4/neigh/" + p.Device() + "/proxy_delay": "0",
		"ipv4/conf/" + p.Device() + "/rp_filter":    "1",
	}
}

// Attached reports whether the machine's cable lies.
func (r *Router) Attached(ctx context.Context, port Port) bool {
	return r.ns.Feed(ctx, "", "ip", "link", "show", port.Device()) == nil
}

// SetPort replaces what is known of a machine, its rules above all.
func (r *Router) SetPort(ctx context.Context, port Port) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ports[port.Key] = port
	return r.filter(ctx)
}

// Detach pulls the cable. It reports how many machines are left.
func (r *Router) Detach(ctx context.Context, key string) (left int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if port, ok := r.ports[key]; ok {
		r.unplug(ctx, port)
		delete(r.ports, key)
	}
	return len(r.ports), r.filter(ctx)
}

// unplug needs no answer: mostly there is no cable, and laying one would complain.
func (r *Router) unplug(ctx context.Context, port Port) {
	_ = r.ns.Feed(ctx, "", "ip", "link", "del", port.Device())
}

// filter replaces all rules in one transaction.
func (r *Router) filter(ctx context.Context) error {
	ports := slices.SortedFunc(maps.Values(r.ports), func(a, b Port) int { return strings.Compare(a.Key, b.Key) })
	if err := r.ns.Feed(ctx, ruleset(ports, r.outside), "nft", "-f", "-"); err != nil {
		return fmt.Errorf("set the network's rules: %w", err)
	}
	return nil
}

// ruleset lets machines out to everywhere but the bridge that the routers of all networks
// share, and to each other by the receiver's rules.
func ruleset(ports []Port, outside netip.Prefix) string {
	var b strings.Builder
	b.WriteString("add table ip fabric\ndelete table ip fabric\ntable ip fabric {\n")
	for _, port := range ports {
		b.WriteString(firewall.Chain("to_"+port.Key, port.Rules))
	}
	b.WriteString("\tchain forward {\n\t\ttype filter hook forward priority filter; policy drop;\n" +
		"\t\tct state established,related accept\n\t\tct state invalid drop\n")
	for _, port := range ports {
		fmt.Fprintf(&b, "\t\toifname %q goto to_%s\n", port.Device(), port.Key)
	}
	fmt.Fprintf(&b, "\t\toifname %q iifname \"v*\" ip daddr != %s accept\n\t}\n", Uplink, outside)
	fmt.Fprintf(&b, "\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat;\n"+
		"\t\toifname %q masquerade\n\t}\n}\n", Uplink)
	return b.String()
}
