package rig

import "context"

// Listing is what `mngr list --format json` says, as far as tests look.
type Listing struct {
	Agents []Agent     `json:"agents"`
	Hosts  []Host      `json:"hosts"`
	Errors []ListError `json:"errors"`
}

// Agent is a row of a listing.
type Agent struct {
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	State  string            `json:"state"`
	Labels map[string]string `json:"labels"`
	Host   Host              `json:"host"`
}

// Host is a host of a listing.
type Host struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	State    string   `json:"state"`
	Billing  string   `json:"billing"` // compute, storage, none or unknown
	Agents   []string `json:"agents"`
	Resource string   `json:"resource_id"`
}

// ListError is what a listing could not tell.
type ListError struct {
	Class   string `json:"error_class"`
	Message string `json:"message"`
}

// List lists what this operator sees.
func (o *Operator) List(ctx context.Context) (Listing, error) {
	var l Listing
	return l, o.Must(ctx, &l, "list", "--format", "json")
}
