package publicip

import (
	"net/netip"
	"testing"

	"mngr/internal/azlocal/machine"
)

func TestRuleset(t *testing.T) {
	addr := netip.MustParseAddr("127.77.5.11")
	rules := map[netip.Addr][]machine.Rule{addr: {{Allow: true, Protocol: "Tcp", Ports: []machine.PortRange{{First: 22, Last: 22}}}}}
	const want = `add table ip t
delete table ip t
table ip t {
	chain to_127_77_5_11 {
		tcp dport 22 accept
		drop
	}
	chain gate {
		type filter hook output priority mangle; policy accept;
		ip daddr != 127.77.5.0/24 accept
		ct state established,related accept
		ip daddr 127.77.5.11 meta l4proto tcp goto to_127_77_5_11
		drop
	}
	chain arrive {
		type nat hook output priority -110;
		ip daddr 127.77.5.0/24 meta l4proto tcp redirect to :4711
	}
}
`
	if got := ruleset("t", netip.MustParsePrefix("127.77.5.0/24"), 4711, rules); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
