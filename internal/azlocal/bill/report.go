package bill

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"mngr/internal/azlocal/compute"
)

// Report is what a time has cost.
type Report struct {
	Since     time.Time `json:"since,omitzero"` // the zero time: from the beginning
	Until     time.Time `json:"until"`
	PricesOf  string    `json:"prices_as_of"`
	USD       float64   `json:"total_usd"`     // of what has a known price
	PerHour   float64   `json:"usd_per_hour"`  // now, of what has a known price
	Unknown   float64   `json:"unknown_hours"` // billed hours without a known price: on top
	Resources []Line    `json:"resources"`
}

// Line is what one resource has cost.
type Line struct {
	compute.Charge
	Billed  bool    `json:"billed_now"`
	Hours   float64 `json:"hours"`
	Unknown float64 `json:"unknown_hours"`
	USD     float64 `json:"usd"`
}

// Report tells what was billed from a time on, dearest first.
func (l *Ledger) Report(since time.Time) Report {
	at := l.now().UTC()
	r := Report{Since: since, Until: at, PricesOf: compute.PricesAsOf, Resources: []Line{}}
	for _, a := range l.accounts {
		sum := a.total(since, at)
		if sum.Hours == 0 && !a.Open {
			continue
		}
		r.Resources = append(r.Resources, Line{Charge: a.Charge, Billed: a.Open, Hours: sum.Hours, Unknown: sum.Unknown, USD: sum.USD})
	}
	slices.SortFunc(r.Resources, func(x, y Line) int {
		return cmp.Or(cmp.Compare(y.USD, x.USD), strings.Compare(x.Resource, y.Resource))
	})
	for _, line := range r.Resources {
		r.USD, r.Unknown = r.USD+line.USD, r.Unknown+line.Unknown
		if line.Billed && line.PerHour != nil {
			r.PerHour += *line.PerHour
		}
	}
	return r
}

// total adds up an account from a time on.
func (a *Account) total(since, at time.Time) Span {
	sum := Span{}
	for _, s := range a.Past {
		sum = sum.and(s.after(since))
	}
	if a.Open {
		sum = sum.and(a.now(at).after(since))
	}
	return sum
}
