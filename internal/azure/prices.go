package azure

import "mngr/internal/agent"

// List prices in USD, East US, Linux, pay as you go, in copies of Azure's Retail Prices
// API of 2025 (https://prices.azure.com/api/retail/prices): other regions differ by a
// fifth or so. They tell what is worth a look, and no more.
const (
	hoursPerMonth = 730.0
	addressHour   = 0.005 // Standard IPv4 Static Public IP, billed while deallocated too
)

var machineHour = map[string]float64{
	"Standard_B1s": 0.0104, "Standard_B1ms": 0.0207, "Standard_B2s": 0.0416, "Standard_B2s_v2": 0.0832,
	"Standard_D2s_v5": 0.096, "Standard_D4s_v5": 0.192, "Standard_D8s_v5": 0.384,
}

// standardSSD are the tiers E4 … E30: a disk is billed as the next larger one.
var standardSSD = []struct {
	gb    int32
	month float64
}{{32, 2.40}, {64, 4.80}, {128, 9.60}, {256, 19.20}, {512, 38.40}, {1024, 76.80}}

// MonthlyCost is about what a host costs a month in its present state; nil when the
// prices of its size, or its state, are not known.
func (p *Provider) MonthlyCost(h agent.Host) *float64 {
	disk := diskMonth(p.settings.OSDiskType, p.settings.OSDiskSizeGB)
	if disk == nil {
		return nil
	}
	rest := *disk + addressHour*hoursPerMonth
	switch h.Billing {
	case agent.BillingStorage:
		return &rest
	case agent.BillingCompute:
		if hour, known := machineHour[h.Size]; known && !h.Spot {
			return new(rest + hour*hoursPerMonth)
		}
	}
	return nil
}

func diskMonth(kind string, gb int32) *float64 {
	if kind != "StandardSSD_LRS" {
		return nil
	}
	for _, tier := range standardSSD {
		if gb <= tier.gb {
			return new(tier.month)
		}
	}
	return nil
}
