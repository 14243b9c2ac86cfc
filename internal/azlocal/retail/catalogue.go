package retail

import (
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/resources"
)

// item is one price, with the fields that the real API has.
type item struct {
	Currency    string  `json:"currencyCode"`
	TierMinimum float64 `json:"tierMinimumUnits"`
	Retail      float64 `json:"retailPrice"`
	Unit        float64 `json:"unitPrice"`
	Region      string  `json:"armRegionName"`
	Location    string  `json:"location"`
	From        string  `json:"effectiveStartDate"`
	MeterID     string  `json:"meterId"`
	Meter       string  `json:"meterName"`
	ProductID   string  `json:"productId"`
	SKUID       string  `json:"skuId"`
	Product     string  `json:"productName"`
	SKU         string  `json:"skuName"`
	Service     string  `json:"serviceName"`
	ServiceID   string  `json:"serviceId"`
	Family      string  `json:"serviceFamily"`
	Measure     string  `json:"unitOfMeasure"`
	Type        string  `json:"type"`
	Primary     bool    `json:"isPrimaryMeterRegion"`
	ArmSKU      string  `json:"armSkuName"`
	Term        string  `json:"reservationTerm,omitempty"`
}

// catalogue lists every price there is. Around those that the bill knows stand the rows that
// the real API has beside them and that are something else: Windows, Low Priority,
// reservations, operations of disks. Their prices are made up.
func catalogue() []item {
	var all []item
	for _, p := range compute.ListPrices() {
		switch p.Meter {
		case "compute":
			all = append(all, machine(p)...)
		case "disk":
			disk := managedDisk(p, p.Item+" Disk", p.USD, "1/Month")
			all = append(all, disk, managedDisk(p, p.Item+" Disk Operations", 0.002, "10K"))
		case "address":
			for _, region := range resources.RegionNames() {
				ip := item{Region: region, Retail: p.USD, Meter: "Standard IPv4 Static Public IP", Product: "IP Addresses", SKU: "Standard",
					Service: "Virtual Network", Family: "Networking", Measure: "1 Hour", Type: "Consumption"}
				basic := ip
				basic.Meter, basic.SKU, basic.Retail = "Basic IPv4 Dynamic Public IP", "Basic", 0.004
				all = append(all, ip.complete(), basic.complete())
			}
		}
	}
	return all
}

func machine(p compute.ListPrice) []item {
	short := strings.ReplaceAll(strings.TrimPrefix(p.Item, "Standard_"), "_", " ")
	linux := item{Region: p.Region, Retail: p.USD, Meter: short, SKU: short, Product: "Virtual Machines " + p.Family + " Series",
		Service: "Virtual Machines", Family: "Compute", Measure: "1 Hour", Type: "Consumption", ArmSKU: p.Item}
	windows := linux
	windows.Product += " Windows"
	windows.Retail *= 2
	low := linux
	low.Meter, low.SKU, low.Retail = short+" Low Priority", short+" Low Priority", linux.Retail/5
	test := linux
	test.Type = "DevTestConsumption"
	reserved := linux
	reserved.Type, reserved.Term, reserved.Retail = "Reservation", "1 Year", linux.Retail*5000
	rows := []item{windows.complete(), low.complete(), linux.complete(), test.complete(), reserved.complete()}
	if p.Spot > 0 {
		spot, winSpot := linux, windows
		spot.Meter, spot.SKU, spot.Retail = short+" Spot", short+" Spot", p.Spot
		winSpot.Meter, winSpot.SKU, winSpot.Retail = short+" Spot", short+" Spot", p.Spot*2
		rows = append(rows, winSpot.complete(), spot.complete())
	}
	return rows
}

func managedDisk(p compute.ListPrice, meter string, usd float64, measure string) item {
	product := map[byte]string{'E': "Standard SSD Managed Disks", 'P': "Premium SSD Managed Disks", 'S': "Standard HDD Managed Disks"}[p.Item[0]]
	return item{Region: p.Region, Retail: usd, Meter: meter, Product: product, SKU: p.Item, Service: "Storage", Family: "Storage",
		Measure: measure, Type: "Consumption"}.complete()
}

// complete fills in what is the same for all, and ids that stay.
func (i item) complete() item {
	id := func(s string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(s)).String() }
	i.Currency, i.Unit, i.Location, i.Primary = "USD", i.Retail, i.Region, true
	i.From = compute.PricesAsOf + "-01T00:00:00Z"
	i.MeterID, i.ServiceID = id(i.Region+i.Product+i.Meter), strings.ToUpper("DZH"+id(i.Service)[:8])
	i.ProductID = strings.ToUpper("DZH" + id(i.Product)[:8])
	i.SKUID = i.ProductID + "/" + strings.ToUpper(id(i.SKU)[:4])
	return i
}

// field is what a filter can ask for (documentation: "API filters").
func (i item) field(name string) (value string, ok bool) {
	switch name {
	case "armregionname":
		return i.Region, true
	case "location":
		return i.Location, true
	case "meterid":
		return i.MeterID, true
	case "metername":
		return i.Meter, true
	case "productid":
		return i.ProductID, true
	case "skuid":
		return i.SKUID, true
	case "productname":
		return i.Product, true
	case "skuname":
		return i.SKU, true
	case "servicename":
		return i.Service, true
	case "serviceid":
		return i.ServiceID, true
	case "servicefamily":
		return i.Family, true
	case "pricetype":
		return i.Type, true
	case "armskuname":
		return i.ArmSKU, true
	}
	return "", false
}
