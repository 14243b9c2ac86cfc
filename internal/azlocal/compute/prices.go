package compute

import (
	"slices"
	"strconv"
	"strings"
)

// PricesAsOf dates the prices of this file and of the catalogue of sizes: list prices in
// US dollars, Linux, pay as you go, from copies of the Retail Prices API
// (https://prices.azure.com/api/retail/prices). What is not listed has no known price.
const PricesAsOf = "2025-08"

const hoursPerMonth = 730

// pricedRegion is the region of the catalogue's prices and of the disks'.
const pricedRegion = "eastus"

// elsewhere are prices of sizes in other regions, an hour.
func elsewhere() map[string]float64 {
	return map[string]float64{
		"westus/Standard_B2s":    0.0496,
		"westus/Standard_D2s_v5": 0.112,
	}
}

// sizePrice is what a size costs an hour in a region; ok is false where nobody knows.
func sizePrice(s Size, region string, spot bool) (perHour float64, ok bool) {
	if perHour = elsewhere()[region+"/"+s.Name]; region == pricedRegion {
		perHour = s.PerHour
	}
	if spot {
		perHour *= spotShare
	}
	return perHour, perHour > 0
}

// spotShare is what a Spot machine costs of the list price. Real prices move with demand.
const spotShare = 0.3

// billedDisk is a size of disk that is billed: every disk as the next larger one.
type billedDisk struct {
	gigabytes int
	name      int     // the 4 of E4
	standard  float64 // a month, Standard SSD LRS; 0 where it is not known
}

func billedDisks() []billedDisk {
	return []billedDisk{{4, 1, 0}, {8, 2, 0}, {16, 3, 0}, {32, 4, 2.40}, {64, 6, 4.80}, {128, 10, 9.60}, {256, 15, 19.20}, {512, 20, 38.40}, {1024, 30, 76.80},
		{2048, 40, 0}, {4096, 50, 0}, {8192, 60, 0}, {16384, 70, 0}, {32767, 80, 0}}
}

// diskMeter names what a disk is billed as, and its price an hour; ok is false where
// nobody knows that.
func diskMeter(sku, region string, gigabytes int) (item string, perHour float64, ok bool) {
	letter, first := map[string]string{"standardssd_lrs": "E", "premium_lrs": "P", "standard_lrs": "S"}[strings.ToLower(sku)], 1
	if letter == "S" {
		first = 4 // hard disks have no smaller tier
	}
	for _, t := range billedDisks() {
		if letter == "" || t.name < first || gigabytes > t.gigabytes {
			continue
		}
		perHour = 0
		if letter == "E" && region == pricedRegion {
			perHour = t.standard / hoursPerMonth
		}
		return letter + strconv.Itoa(t.name) + " LRS", perHour, perHour > 0
	}
	return strings.TrimSpace(sku + " " + strconv.Itoa(gigabytes) + " GB"), 0, false
}

// ListPrice is one price of this file or of the catalogue of sizes.
type ListPrice struct {
	Meter  string  // compute, disk, address
	Item   string  // a size, or a disk's tier; "" for an address
	Region string  // "" is everywhere
	Family string  // of a size: "Dsv5"
	USD    float64 // an hour; for disks a month
	Spot   float64 // an hour as a Spot machine; 0 where there is none
}

// ListPrices are all that are known.
func ListPrices() []ListPrice {
	out := []ListPrice{{Meter: "address", USD: addressHour}}
	regions := []string{pricedRegion}
	for key := range elsewhere() {
		if region, _, _ := strings.Cut(key, "/"); !slices.Contains(regions, region) {
			regions = append(regions, region)
		}
	}
	slices.Sort(regions)
	for _, region := range regions {
		for _, s := range Sizes() {
			usd, known := sizePrice(s, region, false)
			if !known {
				continue
			}
			p := ListPrice{Meter: "compute", Item: s.Name, Region: region, USD: usd,
				Family: strings.TrimSuffix(strings.TrimPrefix(s.Family, "standard"), "Family")}
			if s.Spot {
				p.Spot, _ = sizePrice(s, region, true)
			}
			out = append(out, p)
		}
	}
	for _, d := range billedDisks() {
		if d.standard > 0 {
			out = append(out, ListPrice{Meter: "disk", Item: "E" + strconv.Itoa(d.name) + " LRS", Region: pricedRegion, USD: d.standard})
		}
	}
	return out
}

// addressHour is what a static Standard address costs an hour.
const addressHour = 0.005

// addressMeter does the same for a public IP address. A static one of the Standard SKU
// costs the same in every region.
func addressMeter(sku, method string) (item string, perHour float64, ok bool) {
	item = sku + " IPv4 " + strings.ToLower(method)
	if strings.EqualFold(sku, "Standard") {
		return item, addressHour, true
	}
	return item, 0, false
}
