package firewall

import (
	"net/netip"
	"testing"

	"mngr/internal/azlocal/machine"
)

func prefixes(all ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range all {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func TestChain(t *testing.T) {
	tests := []struct {
		name  string
		rules []machine.Rule
		want  string
	}{
		{"none", nil, ""},
		{"any", []machine.Rule{{Allow: true, Protocol: "*"}}, "\t\taccept\n"},
		{"denial", []machine.Rule{{Protocol: "Tcp", Ports: []machine.PortRange{{First: 22, Last: 22}}}}, "\t\ttcp dport 22 drop\n"},
		{"overlapping sources and ports", []machine.Rule{{Allow: true, Protocol: "Udp", Sources: prefixes("10.0.0.0/8", "10.1.2.3/16"),
			Ports: []machine.PortRange{{First: 1, Last: 9}, {First: 5, Last: 5}}}},
			"\t\tip saddr 10.0.0.0/8 udp dport 1-9 accept\n\t\tip saddr 10.0.0.0/8 udp dport 5 accept\n" +
				"\t\tip saddr 10.1.0.0/16 udp dport 1-9 accept\n\t\tip saddr 10.1.0.0/16 udp dport 5 accept\n"},
		{"every protocol that has ports", []machine.Rule{{Allow: true, Protocol: "*", Ports: []machine.PortRange{{First: 80, Last: 80}}}},
			"\t\tmeta l4proto { tcp, udp } th dport 80 accept\n"},
		{"no ports", []machine.Rule{{Allow: true, Protocol: "Icmp", Sources: prefixes("0.0.0.0/0")}}, "\t\tmeta l4proto icmp accept\n"},
		{"another world", []machine.Rule{{Allow: true, Protocol: "Tcp", Sources: prefixes("fd00::/8")}}, ""},
		{"order", []machine.Rule{{Protocol: "Tcp"}, {Allow: true, Protocol: "*"}}, "\t\tmeta l4proto tcp drop\n\t\taccept\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, want := Chain("x", test.rules), "\tchain x {\n"+test.want+"\t\tdrop\n\t}\n"; got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}
