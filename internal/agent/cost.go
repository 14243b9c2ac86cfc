package agent

import (
	"fmt"
	"time"
)

// Disk is a managed disk as it is billed.
type Disk struct {
	Kind string // storage account type, for example StandardSSD_LRS
	GB   int    // GiB
}

// Run says for how long a host's machine has been billed for compute. It is kept in tags,
// by whoever starts and stops the host.
type Run struct {
	Known   bool          // hosts that others or older versions made have no such tags
	Counted time.Duration // until Since
	Since   time.Time     // from when on it is not counted yet
	Closed  bool          // a user stopped the host at Since: nothing more counts while it is down
}

// Ran is for how long the machine of a host has been billed for compute until now; known is
// false where nobody can tell. What nobody has closed, such as the run before a host has
// deallocated itself, ends when Azure last changed the machine.
func (h Host) Ran(now time.Time) (ran time.Duration, known bool) {
	r := h.Run
	if !r.Known {
		return 0, false
	}
	since, end := r.Since, now
	switch {
	case r.Closed && (h.Billing == BillingStorage || h.State == HostStopping):
		return r.Counted, true
	case r.Closed && h.Billing == BillingCompute && h.ChangedAt.After(since):
		since = h.ChangedAt // somebody has started it without telling
	case h.Billing == BillingCompute:
	case h.Billing == BillingStorage && !h.ChangedAt.IsZero():
		end = h.ChangedAt
	default:
		return 0, false
	}
	return r.Counted + max(0, end.Sub(since)), true
}

// Settled is the run of a host with everything counted until now. What is not known stays
// so: a part would pass for the whole.
func (h Host) Settled(now time.Time) Run {
	ran, known := h.Ran(now)
	if !known {
		return Run{}
	}
	return Run{Known: true, Counted: ran, Since: now}
}

// HoursPerMonth is how Azure's price lists make hours of a month.
const HoursPerMonth = 730

// PriceSource says where a price comes from.
type PriceSource string

// Sources of prices.
const (
	PriceRetail PriceSource = "retail" // Azure's Retail Prices API
	PriceTable  PriceSource = "table"  // a dated table of list prices, built in
)

// Rate is what a host costs, in USD an hour. A part whose price is not known is nil.
type Rate struct {
	Compute *float64 // while its machine is allocated
	Disk    *float64 // always
	Address *float64 // always
	Source  PriceSource
	Date    string // of the oldest of the prices, YYYY-MM-DD or YYYY-MM; "" without any
}

// USD is a sum of prices, some of which may not be known.
type USD struct {
	Known   float64 // of what has a known price
	Unknown int     // things without one: on top
}

// Exact is the sum; nil when a price is missing in it.
func (u USD) Exact() *float64 {
	if u.Unknown > 0 {
		return nil
	}
	return &u.Known
}

// Add adds a price times n; nil is one that is not known.
func (u USD) Add(price *float64, n float64) USD {
	if price == nil {
		u.Unknown++
	} else {
		u.Known += *price * n
	}
	return u
}

// About is a sum for a sentence: "about $1.2000", or what it is at least.
func (u USD) About() string {
	if u.Unknown > 0 {
		return fmt.Sprintf("at least $%.4f", u.Known)
	}
	return fmt.Sprintf("about $%.4f", u.Known)
}

// Plus adds two sums.
func (u USD) Plus(other USD) USD { return USD{u.Known + other.Known, u.Unknown + other.Unknown} }

// Stopped is what a host costs an hour while it is deallocated.
func (r Rate) Stopped() USD { return USD{}.Add(r.Disk, 1).Add(r.Address, 1) }

// IfStopped is what a host that is billed as b says costs an hour once it is deallocated:
// nothing where nothing is left of it.
func (r Rate) IfStopped(b Billing) USD {
	if b == BillingNone {
		return USD{}
	}
	return r.Stopped()
}

// Running is what a host costs an hour while its machine is allocated.
func (r Rate) Running() USD { return r.Stopped().Add(r.Compute, 1) }

// Now is what a host costs an hour in its present state.
func (r Rate) Now(b Billing) USD {
	switch b {
	case BillingCompute:
		return r.Running()
	case BillingStorage:
		return r.Stopped()
	case BillingNone:
		return USD{}
	}
	return r.Stopped().Add(nil, 1)
}

// Missing names what of a host's present state has no known price.
func (r Rate) Missing(b Billing) []string {
	if b == BillingNone {
		return nil
	}
	var out []string
	switch {
	case b != BillingCompute && b != BillingStorage:
		out = append(out, "what it is billed for at present")
	case b == BillingCompute && r.Compute == nil:
		out = append(out, "its size")
	}
	if r.Disk == nil {
		out = append(out, "its disk")
	}
	if r.Address == nil {
		out = append(out, "its address")
	}
	return out
}

// SoFar is about what a host has cost until now, at today's prices.
func (r Rate) SoFar(h Host, now time.Time) USD {
	if h.Billing == BillingNone {
		return USD{Unknown: 1} // it is gone, and nobody knows since when
	}
	sum := USD{}
	if h.CreatedAt.IsZero() {
		sum.Unknown++
	} else {
		age := max(0, now.Sub(h.CreatedAt)).Hours()
		sum = sum.Add(r.Disk, age).Add(r.Address, age)
	}
	ran, known := h.Ran(now)
	if !known {
		return sum.Add(nil, 1)
	}
	if ran == 0 {
		return sum // whatever its price
	}
	return sum.Add(r.Compute, ran.Hours())
}
