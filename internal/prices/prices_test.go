package prices

import (
	"math"
	"testing"
	"time"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func size(change func(*Row)) Row {
	r := Row{Currency: "USD", Price: 0.096, Region: "eastus", MeterName: "D2s v5", SKUName: "D2s v5", ProductName: "Virtual Machines Dsv5 Series",
		ServiceName: "Virtual Machines", Unit: "1 Hour", Type: "Consumption", ArmSKU: "Standard_D2s_v5", From: now.AddDate(-1, 0, 0)}
	change(&r)
	return r
}

// Of the rows that an answer can have, one is the price.
func TestSelect(t *testing.T) {
	plain, spot := MachineItem("eastus", "Standard_D2s_v5", false), MachineItem("eastus", "Standard_D2s_v5", true)
	isSpot := func(r *Row) { r.MeterName, r.SKUName, r.Price = "D2s v5 Spot", "D2s v5 Spot", 0.02 }
	others := []Row{
		size(func(r *Row) { r.ProductName += " Windows"; r.Price = 0.188 }),
		size(func(r *Row) { r.SKUName, r.MeterName, r.Price = "D2s v5 Low Priority", "D2s v5 Low Priority", 0.5 }),
		size(func(r *Row) { isSpot(r); r.ProductName += " Windows"; r.Price = 0.4 }),
		size(func(r *Row) { r.Type, r.Price = "Reservation", 500 }),
		size(func(r *Row) { r.Type, r.Price = "DevTestConsumption", 0.5 }),
		size(func(r *Row) { r.Currency, r.Price = "EUR", 0.5 }),
		size(func(r *Row) { r.Region, r.Price = "westus", 0.5 }),
		size(func(r *Row) { r.ArmSKU, r.Price = "Standard_D4s_v5", 0.5 }),
		size(func(r *Row) { r.From, r.Price = now.AddDate(0, 1, 0), 0.5 }),
		size(func(r *Row) { r.PrimaryMeter, r.Price = new(false), 0.5 }),
		size(func(r *Row) { r.TierMinimum, r.Price = 100, 0.5 }),
		size(func(r *Row) { r.Price = 0 }),
		size(func(r *Row) { r.Price = math.NaN() }),
		size(func(r *Row) { r.Unit, r.Price = "1/Month", 0.5 }),
		size(func(r *Row) { r.ServiceName, r.Price = "Cloud Services", 0.5 }),
	}
	for name, c := range map[string]struct {
		item Item
		rows []Row
		want float64
	}{
		"none of them":   {plain, others, 0},
		"nor as Spot":    {spot, others, 0},
		"the one":        {plain, append(others, size(func(*Row) {})), 0.096},
		"Spot":           {spot, append(others, size(func(*Row) {}), size(isSpot)), 0.02},
		"not Spot":       {plain, []Row{size(isSpot)}, 0},
		"the latest":     {plain, []Row{size(func(r *Row) { r.From = now.AddDate(0, -1, 0); r.Price = 0.1 }), size(func(*Row) {})}, 0.1},
		"the dearest":    {plain, []Row{size(func(*Row) {}), size(func(r *Row) { r.Price = 0.2 }), size(func(*Row) {})}, 0.2},
		"nothing at all": {plain, nil, 0},
	} {
		got, ok := c.item.Select(c.rows, now)
		if got != c.want || ok != (c.want > 0) {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, c.want)
		}
	}
	disk, _ := DiskItem("eastus", "StandardSSD_LRS", 30)
	row := Row{Currency: "USD", Price: 2.4, Region: "eastus", MeterName: "E4 LRS Disk", SKUName: "E4 LRS", ProductName: "Standard SSD Managed Disks",
		ServiceName: "Storage", Unit: "1/Month", Type: "Consumption"}
	operations := row
	operations.MeterName, operations.Unit = "E4 LRS Disk Operations", "10K"
	if got, ok := disk.Select([]Row{operations, row}, now); !ok || math.Abs(got*730-2.4) > 1e-9 {
		t.Errorf("disk: %v, %v", got, ok)
	}
}

// A disk is billed as the next larger tier of its kind.
func TestDiskItem(t *testing.T) {
	for _, c := range []struct {
		kind string
		gb   int
		want string
	}{
		{"StandardSSD_LRS", 30, "E4 LRS"}, {"StandardSSD_LRS", 32, "E4 LRS"}, {"StandardSSD_LRS", 33, "E6 LRS"}, {"StandardSSD_LRS", 4, "E1 LRS"},
		{"StandardSSD_ZRS", 128, "E10 ZRS"}, {"Premium_LRS", 1024, "P30 LRS"}, {"Standard_LRS", 4, "S4 LRS"}, {"standardssd_lrs", 30, "E4 LRS"},
		{"StandardSSD_LRS", 32767, "E80 LRS"}, {"StandardSSD_LRS", 32768, ""}, {"UltraSSD_LRS", 30, ""}, {"PremiumV2_LRS", 30, ""}, {"StandardSSD_LRS", 0, ""},
		{"StandardSSD", 30, ""}, {"", 30, ""},
	} {
		got, ok := DiskItem("eastus", c.kind, c.gb)
		if got.Name != c.want || ok != (c.want != "") {
			t.Errorf("%s of %d GiB: %q, %v, want %q", c.kind, c.gb, got.Name, ok, c.want)
		}
	}
}

// What is in a filter is quoted, and what has no price in the table has none.
func TestQueryAndTable(t *testing.T) {
	if got := MachineItem("eastus", "x' or '1' eq '1", false).Query().Get("$filter"); got !=
		"armRegionName eq 'eastus' and priceType eq 'Consumption' and serviceName eq 'Virtual Machines' and armSkuName eq 'x'' or ''1'' eq ''1'" {
		t.Error(got)
	}
	for item, want := range map[Item]float64{
		MachineItem("eastus", "Standard_B2s", false):   0.0416,
		MachineItem("westus", "Standard_B2s", false):   0.0496,
		MachineItem("eastus", "Standard_D2s_v5", true): 0,
		MachineItem("uksouth", "Standard_B2s", false):  0,
		{Disk, "eastus", "E4 LRS"}:                     2.4 / 730,
		{Disk, "eastus", "P4 LRS"}:                     0,
		AddressItem("uksouth"):                         0.005,
		AddressItem("usgovvirginia"):                   0,
	} {
		if got, ok := item.Listed(); math.Abs(got-want) > 1e-12 || ok != (want > 0) {
			t.Errorf("%s: %v, %v, want %v", item, got, ok, want)
		}
	}
}
