package cli

import (
	"fmt"
	"math"

	"mngr/internal/agent"
	"mngr/internal/fleet"
)

// costRow is what a host costs. A sum in which a price is missing is null, and never less
// than it is; what is known of it stands beside it.
type costRow struct {
	PerHour      *float64           `json:"usd_per_hour"`          // now
	SoFar        *float64           `json:"usd_so_far"`            // about
	StoppedMonth *float64           `json:"usd_per_month_stopped"` // disk and address; 0 where nothing is left
	KnownHour    float64            `json:"known_usd_per_hour"`
	KnownSoFar   float64            `json:"known_usd_so_far"`
	Compute      *float64           `json:"compute_usd_per_hour"` // while it is allocated
	Disk         *float64           `json:"disk_usd_per_hour"`
	Address      *float64           `json:"address_usd_per_hour"`
	Source       *agent.PriceSource `json:"price_source"`
	Date         *string            `json:"price_date"`
}

// newCostRow rounds what moves with time to some decimals: a listing that is asked for twice
// says the same, where nothing has happened.
func newCostRow(h agent.Host, c fleet.Cost, decimals int) costRow {
	row := costRow{
		PerHour: rounded(c.Now.Exact()), SoFar: roundedTo(c.SoFar.Exact(), decimals), StoppedMonth: monthly(c.Rate.IfStopped(h.Billing)),
		KnownHour: *rounded(&c.Now.Known), KnownSoFar: *roundedTo(&c.SoFar.Known, decimals),
		Compute: rounded(c.Rate.Compute), Disk: rounded(c.Rate.Disk), Address: rounded(c.Rate.Address), Date: known(c.Rate.Date),
	}
	if c.Rate.Source != "" {
		row.Source = &c.Rate.Source
	}
	return row
}

func monthly(sum agent.USD) *float64 {
	hour := sum.Exact()
	if hour == nil {
		return nil
	}
	return rounded(new(*hour * agent.HoursPerMonth))
}

// rounded keeps six decimals: list prices have as many.
func rounded(usd *float64) *float64 { return roundedTo(usd, 6) }

func roundedTo(usd *float64, decimals int) *float64 {
	if usd == nil {
		return nil
	}
	unit := math.Pow10(decimals)
	return new(math.Round(*usd*unit) / unit)
}

// dollars is a sum for people: ~ marks prices of the built-in table, +? what has no known
// price. Nothing known is "unknown".
func dollars(sum agent.USD, source agent.PriceSource, decimals int) string {
	if sum.Unknown > 0 && sum.Known == 0 {
		return "unknown"
	}
	text := fmt.Sprintf("%.*f", decimals, sum.Known)
	if source == agent.PriceTable {
		text = "~" + text
	}
	if sum.Unknown > 0 {
		text += "+?"
	}
	return text
}
