package azure

import (
	"testing"

	"mngr/internal/agent"
)

func TestSettingsAreChecked(t *testing.T) {
	if _, err := New(Defaults()); err != nil {
		t.Fatalf("the defaults are refused: %v", err)
	}
	for name, break_ := range map[string]func(*Settings){
		"no group":             func(s *Settings) { s.ResourceGroup = "" },
		"a path as a group":    func(s *Settings) { s.ResourceGroup = "a/../b" },
		"unknown cloud":        func(s *Settings) { s.Cloud = "mars" },
		"port 22 twice":        func(s *Settings) { s.ContainerSSHPort = 22 },
		"no such port":         func(s *Settings) { s.ContainerSSHPort = 65536 },
		"subnet outside":       func(s *Settings) { s.SubnetPrefix = "10.1.0.0/24" },
		"subnet larger":        func(s *Settings) { s.SubnetPrefix = "10.0.0.0/8" },
		"vnet is no CIDR":      func(s *Settings) { s.VNetPrefix = "10.0.0.0" },
		"a source is no CIDR":  func(s *Settings) { s.AllowedSSHCIDRs = []string{"everybody"} },
		"a source with a typo": func(s *Settings) { s.AllowedSSHCIDRs = []string{"10.0.0.0/33"} },
	} {
		s := Defaults()
		break_(&s)
		if _, err := New(s); agent.KindOf(err) != agent.KindUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNetworkNames(t *testing.T) {
	s := Defaults()
	for region, want := range map[string]network{
		"":        {"westus", "mngr-vnet", "mngr-subnet", "mngr-nsg"},
		"West US": {"westus", "mngr-vnet", "mngr-subnet", "mngr-nsg"},
		"eastus":  {"eastus", "mngr-vnet-eastus", "mngr-subnet", "mngr-nsg-eastus"},
		"East US": {"eastus", "mngr-vnet-eastus", "mngr-subnet", "mngr-nsg-eastus"},
	} {
		if got := s.network(region); got != want {
			t.Errorf("network(%q) = %+v, want %+v", region, got, want)
		}
	}
}
