package compute

import (
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
)

// Charge is something that is billed.
type Charge struct {
	Resource string   `json:"resource"`
	Meter    string   `json:"meter"` // compute, disk, address
	Item     string   `json:"item"`  // what the meter counts: a size, a disk's tier, a kind of address
	Region   string   `json:"region"`
	PerHour  *float64 `json:"usd_per_hour"` // nil: the price is not known
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
	for _, kind := range BilledTypes() {
		for _, d := range t.List(kind, "") {
			if c, ok := ChargeFor(d); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// BilledTypes are the types of resources that can be billed.
func BilledTypes() []string { return []string{TypeVM, TypeDisk, network.TypePublicIP} }

// ChargeFor is what a resource is billed as now; ok is false when it is not.
func ChargeFor(d *fabric.Document) (c Charge, ok bool) {
	var (
		price float64
		known bool
	)
	props, sku := d.Body.Obj("properties"), d.Body.Str("sku", "name")
	c = Charge{Resource: d.ID, Region: d.Body.Str("location")}
	switch kind := arm.ParseID(d.ID).Type(); {
	case strings.EqualFold(kind, TypeVM) && powerOf(d).Billed():
		c.Meter, c.Item = "compute", props.Str("hardwareProfile", "vmSize")
		size, _ := findSize(c.Item)
		price, known = sizePrice(size, c.Region, isSpot(d.Body))
		if isSpot(d.Body) {
			c.Item += " Spot"
		}
	case strings.EqualFold(kind, TypeDisk):
		c.Meter = "disk"
		c.Item, price, known = diskMeter(sku, c.Region, props.Int("diskSizeGB"))
	case strings.EqualFold(kind, network.TypePublicIP) && props.Str("ipAddress") != "":
		c.Meter = "address"
		c.Item, price, known = addressMeter(sku, props.Str("publicIPAllocationMethod"))
	default:
		return c, false
	}
	if known {
		c.PerHour = &price
	}
	return c, true
}
