package fabric

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"mngr/internal/azlocal/machine"
)

func testPort() Port {
	return Port{Key: "0123456789ab", MAC: "00-0D-3A-11-22-33", IP: netip.MustParseAddr("10.0.0.4"),
		Subnet: netip.MustParsePrefix("10.0.0.0/24"), Rules: []machine.Rule{{Allow: true, Protocol: "Tcp"}}}
}

func TestRuleset(t *testing.T) {
	const want = `add table ip fabric
delete table ip fabric
table ip fabric {
	chain to_0123456789ab {
		meta l4proto tcp accept
		drop
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		oifname "v0123456789ab" goto to_0123456789ab
		oifname "eth0" iifname "v*" ip daddr != 172.18.0.0/16 accept
	}
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname "eth0" masquerade
	}
}
`
	if got := ruleset([]Port{testPort()}, netip.MustParsePrefix("172.18.0.0/16")); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCable(t *testing.T) {
	port := testPort()
	if name := port.Device(); len(name) > 15 {
		t.Errorf("device %q is longer than the kernel takes", name)
	}
	const machineSide = "link set lo up\nlink set eth0 address 00:0d:3a:11:22:33\naddr add 10.0.0.4/24 broadcast + dev eth0\n" +
		"link set eth0 up\nroute add default via 10.0.0.1\n"
	if got := port.MachineSide(); got != machineSide {
		t.Errorf("got\n%swant\n%s", got, machineSide)
	}
	const routerSide = "route replace blackhole 10.0.0.0/24\nlink set v0123456789ab address 12:34:56:78:9a:bc\n" +
		"addr add 10.0.0.1/32 dev v0123456789ab\nlink set v0123456789ab up\nroute replace 10.0.0.4/32 dev v0123456789ab src 10.0.0.1\n"
	if got := port.routerSide(); got != routerSide {
		t.Errorf("got\n%swant\n%s", got, routerSide)
	}
}

func TestNameserver(t *testing.T) {
	tests := map[string]string{
		"":                                  "127.0.0.1",
		"# nameserver 1.1.1.1\nsearch a\n":  "127.0.0.1",
		"search a\nnameserver 127.0.0.53\n": "127.0.0.53",
		"nameserver 192.0.2.1\nnameserver 192.0.2.2\n": "192.0.2.1",
	}
	for conf, want := range tests {
		if got := nameserver(strings.NewReader(conf)); got != want {
			t.Errorf("%q: %s, want %s", conf, got, want)
		}
	}
}

func TestWireHandler(t *testing.T) {
	const health = "<Health><Container><RoleInstanceList><Role><Health><State>%</State></Health></Role></RoleInstanceList></Container></Health>"
	tests := []struct {
		name, path, body string
		status           int
		ready            bool
	}{
		{"ready", "/machine?comp=health", strings.ReplaceAll(health, "%", "Ready"), http.StatusOK, true},
		{"not ready", "/machine?comp=health", strings.ReplaceAll(health, "%", "NotReady"), http.StatusOK, false},
		{"another question", "/machine?comp=goalstate", strings.ReplaceAll(health, "%", "Ready"), http.StatusNotFound, false},
		{"nonsense", "/machine?comp=health", "{}", http.StatusBadRequest, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ready := false
			answer := httptest.NewRecorder()
			WireHandler(func() { ready = true }).ServeHTTP(answer, httptest.NewRequest("POST", test.path, strings.NewReader(test.body)))
			if answer.Code != test.status || ready != test.ready {
				t.Errorf("status %d, ready %v", answer.Code, ready)
			}
		})
	}
}
