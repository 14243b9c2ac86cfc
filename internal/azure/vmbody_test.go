package azure

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func goldenRequest(t *testing.T, change func(*Settings, *agent.MachineSpec)) machineRequest {
	t.Helper()
	settings := Defaults()
	spec := agent.MachineSpec{
		HostID:        "host-0123456789abcdef0123456789abcdef",
		HostName:      "my-agent",
		CustomData:    []byte("#cloud-config\n"),
		AuthorizedKey: "ssh-ed25519 AAAAC3Nza mngr",
		Tags:          map[string]string{"mngr-created-at": "2026-11-22T00:00:00Z", "mngr-agent-x-record": "{}"},
	}
	if change != nil {
		change(&settings, &spec)
	}
	spec, err := settings.resolve(spec)
	if err != nil {
		t.Fatal(err)
	}
	net := settings.network(spec.Region)
	return machineRequest{settings: settings, spec: spec, name: vmName(spec.HostName), tags: settings.hostTags(spec),
		subnetID: "/subscriptions/s/resourceGroups/mngr/providers/Microsoft.Network/virtualNetworks/" + net.vnet + "/subnets/" + net.subnet}
}

// The request's body is what a reviewer must see change.
func TestMachineBody(t *testing.T) {
	for name, change := range map[string]func(*Settings, *agent.MachineSpec){
		"default": nil,
		"spot":    func(_ *Settings, m *agent.MachineSpec) { m.Spot = true },
		"spot-keep": func(s *Settings, m *agent.MachineSpec) {
			m.Spot, s.EvictDeallocates, s.SpotMaxPrice = true, true, 0.02
		},
		"region":       func(_ *Settings, m *agent.MachineSpec) { m.Region, m.Size = "East US", "Standard_D2s_v5" },
		"no-self-stop": func(s *Settings, _ *agent.MachineSpec) { s.SelfStop = false },
	} {
		t.Run(name, func(t *testing.T) { golden(t, "vm-"+name+".json", goldenRequest(t, change).body()) })
	}
}

func TestSeparateParts(t *testing.T) {
	r := goldenRequest(t, nil)
	golden(t, "ip-separate.json", r.separateIP())
	golden(t, "nic-separate.json", r.separateNIC("/subscriptions/s/resourceGroups/mngr/providers/Microsoft.Network/publicIPAddresses/x"))
}

func golden(t *testing.T, name string, value json.Marshaler) {
	t.Helper()
	raw, err := value.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestResolve(t *testing.T) {
	s := Defaults()
	for _, c := range []struct {
		in   agent.MachineSpec
		size string
		kind agent.Kind // "" when accepted
	}{
		{agent.MachineSpec{}, "Standard_B2s", ""},
		{agent.MachineSpec{Spot: true}, "Standard_D2s_v5", ""},
		{agent.MachineSpec{Spot: true, Size: "Standard_E4s_v5"}, "Standard_E4s_v5", ""},
		{agent.MachineSpec{Size: "Standard_B4ms"}, "Standard_B4ms", ""},
		{agent.MachineSpec{Spot: true, Size: "Standard_B2s"}, "", agent.KindUsage},
		{agent.MachineSpec{Spot: true, Size: "standard_b2ats_v2"}, "", agent.KindUsage},
	} {
		got, err := s.resolve(c.in)
		if c.kind != "" {
			if agent.KindOf(err) != c.kind || err == nil {
				t.Errorf("%+v: error %v, want %s", c.in, err, c.kind)
			}
			continue
		}
		if err != nil || got.Size != c.size || got.Region != "westus" {
			t.Errorf("%+v: %+v, %v", c.in, got, err)
		}
	}
}

func goldenText(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
