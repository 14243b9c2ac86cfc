package publicip

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/firewall"
)

// ruleset is the instance's whole table. The gate sees a packet before its address is
// changed: it drops what is refused, and all that goes to an address of the range that no
// machine has, so that nothing of the host itself ever answers there.
func ruleset(table string, public netip.Prefix, port uint16, rules map[netip.Addr][]machine.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "add table ip %[1]s\ndelete table ip %[1]s\ntable ip %[1]s {\n", table)
	addrs := slices.SortedFunc(maps.Keys(rules), netip.Addr.Compare)
	for _, addr := range addrs {
		b.WriteString(firewall.Chain(chainName(addr), rules[addr]))
	}
	b.WriteString("\tchain gate {\n\t\ttype filter hook output priority mangle; policy accept;\n")
	fmt.Fprintf(&b, "\t\tip daddr != %s accept\n\t\tct state established,related accept\n", public)
	for _, addr := range addrs {
		fmt.Fprintf(&b, "\t\tip daddr %s meta l4proto tcp goto %s\n", addr, chainName(addr))
	}
	b.WriteString("\t\tdrop\n\t}\n\tchain arrive {\n\t\ttype nat hook output priority -110;\n")
	fmt.Fprintf(&b, "\t\tip daddr %s meta l4proto tcp redirect to :%d\n\t}\n}\n", public, port)
	return b.String()
}

func chainName(addr netip.Addr) string { return "to_" + strings.ReplaceAll(addr.String(), ".", "_") }
