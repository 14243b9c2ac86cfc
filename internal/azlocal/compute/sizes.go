package compute

import "strings"

// Size is a VM size.
type Size struct {
	Name, Family string
	Cores        int
	MemoryMB     int
	TempDiskMB   int
	DataDisks    int
	Generations  string // "V1,V2"
	Spot         bool
	Arch         string  // "x64" or "Arm64"
	PerHour      float64 // list price in eastus, Linux, US dollars
}

// Sizes are those of the catalogue; data from the public SKU and price lists.
func Sizes() []Size {
	const both = "V1,V2"
	return []Size{
		{"Standard_B1s", "standardBSFamily", 1, 1024, 4096, 2, both, false, "x64", 0.0104},
		{"Standard_B1ms", "standardBSFamily", 1, 2048, 4096, 2, both, false, "x64", 0.0207},
		{"Standard_B2s", "standardBSFamily", 2, 4096, 8192, 4, both, false, "x64", 0.0416},
		{"Standard_B2ms", "standardBSFamily", 2, 8192, 16384, 4, both, false, "x64", 0.0832},
		{"Standard_B4ms", "standardBSFamily", 4, 16384, 32768, 8, both, false, "x64", 0.166},
		{"Standard_B2s_v2", "standardBsv2Family", 2, 8192, 0, 4, both, false, "x64", 0.0832},
		{"Standard_B2ps_v2", "standardBpsv2Family", 2, 8192, 0, 4, "V2", false, "Arm64", 0.0672},
		{"Standard_DS1_v2", "standardDSv2Family", 1, 3584, 7168, 4, both, true, "x64", 0.073},
		{"Standard_D2s_v3", "standardDSv3Family", 2, 8192, 16384, 4, both, true, "x64", 0.096},
		{"Standard_D2s_v5", "standardDSv5Family", 2, 8192, 0, 4, both, true, "x64", 0.096},
		{"Standard_D4s_v5", "standardDSv5Family", 4, 16384, 0, 8, both, true, "x64", 0.192},
		{"Standard_D8s_v5", "standardDSv5Family", 8, 32768, 0, 16, both, true, "x64", 0.384},
		{"Standard_D2as_v5", "standardDASv5Family", 2, 8192, 0, 4, both, true, "x64", 0.086},
		{"Standard_D2ps_v5", "standardDPSv5Family", 2, 8192, 0, 4, "V2", true, "Arm64", 0.077},
		{"Standard_D2s_v6", "standardDsv6Family", 2, 8192, 0, 4, "V2", true, "x64", 0.101},
		{"Standard_E2s_v5", "standardESv5Family", 2, 16384, 0, 4, both, true, "x64", 0.126},
		{"Standard_F2s_v2", "standardFSv2Family", 2, 4096, 16384, 4, both, true, "x64", 0.0846},
	}
}

func findSize(name string) (Size, bool) {
	for _, s := range Sizes() {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return Size{}, false
}

// interfaces is how many network interfaces a machine of the size may have. The burstable
// ones may have one or two more in truth.
func (s Size) interfaces() int { return max(2, s.Cores/2) }

// burstable sizes cannot be Spot.
func (s Size) burstable() bool { return strings.HasPrefix(s.Name, "Standard_B") }
