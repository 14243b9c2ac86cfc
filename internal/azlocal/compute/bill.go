package compute

import (
	"math"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
)

// List prices in eastus, US dollars; a month has 730 hours.
const (
	pricePublicIP  = 0.005 // per hour, Standard static, attached or not
	priceSSD32     = 2.40 / hoursPerMonth
	spotShare      = 0.3
	hoursPerMonth  = 730
	gigabytesPerE4 = 32
)

// Charge is something that is billed now.
type Charge struct {
	Resource string  `json:"resource"`
	Meter    string  `json:"meter"` // compute, disk, address
	PerHour  float64 `json:"usd_per_hour"`
}

// VMStatus is a machine and what it costs.
type VMStatus struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Group        string     `json:"resource_group"`
	Provisioning string     `json:"provisioning_state"`
	Power        PowerState `json:"power_state"`
	PublicIP     string     `json:"public_ip,omitempty"`
	Key          string     `json:"machine"`
	Billed       bool       `json:"compute_billed"`
}

// Status lists the machines.
func Status(t *fabric.Tx) []VMStatus {
	out := []VMStatus{}
	for _, d := range t.List(TypeVM, "") {
		s := VMStatus{ID: d.ID, Name: arm.Name(d.ID), Group: arm.ParseID(d.ID).Group, Provisioning: provisioning(d),
			Power: powerOf(d), Key: d.Hidden.Str("key"), Billed: powerOf(d).Billed()}
		if ip := Addresses(t, d).PublicIP; ip.IsValid() {
			s.PublicIP = ip.String()
		}
		out = append(out, s)
	}
	return out
}

// Bill lists what is billed at this moment.
func Bill(t *fabric.Tx) []Charge {
	out := []Charge{}
	for _, d := range t.List(TypeVM, "") {
		if !powerOf(d).Billed() {
			continue
		}
		size, _ := findSize(d.Body.Str("properties", "hardwareProfile", "vmSize"))
		price := size.PerHour
		if isSpot(d.Body) {
			price = spotPrice(size)
		}
		out = append(out, Charge{d.ID, "compute", price})
	}
	for _, d := range t.List(TypeDisk, "") {
		units := math.Ceil(float64(d.Body.Int("properties", "diskSizeGB")) / gigabytesPerE4)
		out = append(out, Charge{d.ID, "disk", units * priceSSD32})
	}
	for _, d := range t.List(network.TypePublicIP, "") {
		if d.Body.Str("properties", "ipAddress") != "" {
			out = append(out, Charge{d.ID, "address", pricePublicIP})
		}
	}
	return out
}
