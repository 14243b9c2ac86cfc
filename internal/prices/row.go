package prices

import (
	"strings"
	"time"

	"mngr/internal/agent"
)

// Row is one price in an answer of the API.
type Row struct {
	Currency     string    `json:"currencyCode"`
	TierMinimum  float64   `json:"tierMinimumUnits"`
	Price        float64   `json:"retailPrice"`
	Region       string    `json:"armRegionName"`
	From         time.Time `json:"effectiveStartDate"`
	MeterName    string    `json:"meterName"`
	ProductName  string    `json:"productName"`
	SKUName      string    `json:"skuName"`
	ServiceName  string    `json:"serviceName"`
	Unit         string    `json:"unitOfMeasure"`
	Type         string    `json:"type"`
	PrimaryMeter *bool     `json:"isPrimaryMeterRegion"`
	ArmSKU       string    `json:"armSkuName"`
}

// Page is one answer of the API.
type Page struct {
	Items []Row  `json:"Items"`
	Next  string `json:"NextPageLink"`
}

// Select finds an item's price among rows, in USD an hour, as it is at a time. Of several
// that could be meant it takes the latest, and of these the highest: what is said to cost
// little must not cost more.
func (i Item) Select(rows []Row, at time.Time) (perHour float64, ok bool) {
	var best Row
	for _, r := range rows {
		if !i.is(r) || r.From.After(at) {
			continue
		}
		if !ok || r.From.After(best.From) || r.From.Equal(best.From) && r.Price > best.Price {
			best, ok = r, true
		}
	}
	if best.Unit == "1/Month" {
		best.Price /= agent.HoursPerMonth
	}
	return best.Price, ok
}

// is tells whether a row is this item's price. A price of nothing is none: the API has
// such rows for what is not sold.
func (i Item) is(r Row) bool {
	if r.Currency != "USD" || r.Type != "Consumption" || r.TierMinimum != 0 || !(r.Price > 0) || r.Price > 1e5 ||
		!strings.EqualFold(r.Region, i.Region) || r.PrimaryMeter != nil && !*r.PrimaryMeter {
		return false
	}
	names := strings.ToLower(r.SKUName + " " + r.MeterName)
	switch i.Kind {
	case Machine, Spot:
		return r.ServiceName == "Virtual Machines" && strings.EqualFold(r.ArmSKU, i.Name) && r.Unit == "1 Hour" &&
			!strings.Contains(strings.ToLower(r.ProductName), "windows") && !strings.Contains(names, "low priority") &&
			strings.Contains(names, "spot") == (i.Kind == Spot)
	case Disk:
		return r.ServiceName == "Storage" && r.ProductName == i.product() && r.MeterName == i.meter() && r.Unit == "1/Month"
	case Address:
		return r.ServiceName == "Virtual Network" && r.MeterName == i.meter() && r.Unit == "1 Hour"
	}
	return false
}
