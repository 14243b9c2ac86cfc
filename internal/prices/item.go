package prices

import (
	"strconv"
	"strings"
)

// Kind is a kind of thing that has a price.
type Kind string

// Kinds of items.
const (
	Machine Kind = "machine" // Linux, pay as you go
	Spot    Kind = "spot"    // the same as a Spot machine
	Disk    Kind = "disk"    // managed, by tier
	Address Kind = "address" // IPv4, static, Standard
)

// Item is one thing that has a price in a region.
type Item struct {
	Kind   Kind
	Region string // as in resource ids: "westus"
	Name   string // a size, or a disk's tier such as "E4 LRS"; "" for an address
}

// String is the item's name in caches.
func (i Item) String() string {
	return strings.TrimSuffix(strings.Join([]string{string(i.Kind), i.Region, i.Name}, "/"), "/")
}

// MachineItem is a machine of a size.
func MachineItem(region, size string, spot bool) Item {
	if spot {
		return Item{Spot, region, size}
	}
	return Item{Machine, region, size}
}

// AddressItem is a public address.
func AddressItem(region string) Item { return Item{Kind: Address, Region: region} }

// diskKind is the product and the letter of the tiers of a storage account type without its
// redundancy (Microsoft, "Understand Azure Disk Storage billing").
func diskKind(kind string) (letter, product string) {
	switch strings.ToLower(kind) {
	case "standardssd":
		return "E", "Standard SSD Managed Disks"
	case "premium":
		return "P", "Premium SSD Managed Disks"
	case "standard":
		return "S", "Standard HDD Managed Disks"
	}
	return "", ""
}

// tiers are the sizes of managed disks in GiB, and the numbers of their tiers. A disk is
// billed as the next larger one.
func tiers() []struct{ gb, number int } {
	return []struct{ gb, number int }{
		{4, 1}, {8, 2}, {16, 3}, {32, 4}, {64, 6}, {128, 10}, {256, 15}, {512, 20}, {1024, 30},
		{2048, 40}, {4096, 50}, {8192, 60}, {16384, 70}, {32767, 80},
	}
}

// DiskItem is a managed disk of a storage account type, for example StandardSSD_LRS, as it
// is billed. ok is false for kinds that are not billed by tier.
func DiskItem(region, kind string, gb int) (i Item, ok bool) {
	family, redundancy, _ := strings.Cut(kind, "_")
	letter, _ := diskKind(family)
	redundancy = strings.ToUpper(redundancy)
	if letter == "" || redundancy != "LRS" && redundancy != "ZRS" || gb <= 0 {
		return Item{}, false
	}
	for _, t := range tiers() {
		if gb <= t.gb && (letter != "S" || t.number >= 4) { // hard disks have no smaller tier
			return Item{Disk, region, letter + strconv.Itoa(t.number) + " " + redundancy}, true
		}
	}
	return Item{}, false
}

// product is the API's productName of a disk's tier.
func (i Item) product() string {
	for _, family := range []string{"standardssd", "premium", "standard"} {
		if letter, product := diskKind(family); strings.HasPrefix(i.Name, letter) {
			return product
		}
	}
	return ""
}
