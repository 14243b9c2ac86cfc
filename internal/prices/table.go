package prices

import (
	"strings"

	"mngr/internal/agent"
)

// TableDate dates the built-in table.
const TableDate = "2025-08"

// addressHour is the same in all regions of the public cloud.
const addressHour = 0.005

// machines are list prices, USD an hour, from copies of the API of that time.
func machines() map[string]map[string]float64 {
	return map[string]map[string]float64{
		"eastus": {
			"Standard_B1s": 0.0104, "Standard_B1ms": 0.0207, "Standard_B2s": 0.0416, "Standard_B2ms": 0.0832, "Standard_B4ms": 0.166,
			"Standard_B2s_v2": 0.0832, "Standard_D2s_v3": 0.096, "Standard_D2s_v5": 0.096, "Standard_D4s_v5": 0.192, "Standard_D8s_v5": 0.384,
			"Standard_D2as_v5": 0.086, "Standard_E2s_v5": 0.126, "Standard_F2s_v2": 0.0846,
		},
		"westus": {"Standard_B2s": 0.0496, "Standard_D2s_v5": 0.112},
	}
}

// disks are list prices a month.
func disks() map[string]map[string]float64 {
	return map[string]map[string]float64{
		"eastus": {"E4 LRS": 2.40, "E6 LRS": 4.80, "E10 LRS": 9.60, "E15 LRS": 19.20, "E20 LRS": 38.40, "E30 LRS": 76.80},
	}
}

// sovereign tells the regions of other clouds than the public one, whose prices differ.
func sovereign(region string) bool {
	return strings.HasPrefix(region, "usgov") || strings.HasPrefix(region, "usdod") || strings.HasPrefix(region, "china")
}

// Listed is an item's price in the built-in table, USD an hour. Spot prices move too much
// to be written down.
func (i Item) Listed() (perHour float64, ok bool) {
	switch i.Kind {
	case Machine:
		perHour = machines()[i.Region][i.Name]
	case Disk:
		perHour = disks()[i.Region][i.Name] / agent.HoursPerMonth
	case Address:
		if !sovereign(i.Region) {
			perHour = addressHour
		}
	}
	return perHour, perHour > 0
}
