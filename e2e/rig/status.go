package rig

import (
	"context"
	"net/http"
)

// Status is what a local Azure says of itself, as `mngr azure local status` shows it.
type Status struct {
	SubscriptionID string    `json:"subscription_id"`
	VMs            []Machine `json:"vms"`
	Billed         []Charge  `json:"billed"`
}

// Machine is a virtual machine as the local Azure has it.
type Machine struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Provisioning string `json:"provisioning_state"`
	Power        string `json:"power_state"`
	Address      string `json:"public_ip"`
	Billed       bool   `json:"compute_billed"`
}

// Charge is one thing that is billed now.
type Charge struct {
	Resource string   `json:"resource"`
	Meter    string   `json:"meter"`        // compute, disk or address
	PerHour  *float64 `json:"usd_per_hour"` // nil: not known
}

// Status asks for the present state.
func (a *Azure) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, a.Control(ctx, http.MethodGet, "/status", nil, &s)
}
