package bill

import (
	"slices"
	"time"

	"mngr/internal/azlocal/compute"
)

// Account is what one resource has cost. Accounts are replaced, not changed.
type Account struct {
	compute.Charge
	Open  bool      `json:"open"`           // billed now
	Gone  bool      `json:"gone,omitempty"` // the resource is deleted
	Since time.Time `json:"since"`          // of the present charge
	Past  []Span    `json:"past,omitempty"`
}

// Span is a time in which a charge stayed the same, or several that were put together.
type Span struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	USD     float64   `json:"usd"`
	Hours   float64   `json:"hours"`                   // billed
	Unknown float64   `json:"unknown_hours,omitempty"` // of them, those without a known price
}

// maxSpans bounds an account: of more, the oldest are put together. Nothing is lost but
// where in that time the money went.
const maxSpans = 64

// now is the present charge as a span that ends at a time.
func (a *Account) now(at time.Time) Span {
	if at.Before(a.Since) {
		at = a.Since // the clock was set back
	}
	s := Span{From: a.Since, To: at, Hours: at.Sub(a.Since).Hours()}
	if a.PerHour == nil {
		s.Unknown = s.Hours
	} else {
		s.USD = *a.PerHour * s.Hours
	}
	return s
}

// turn is the account after a change: another charge, or none.
func (a *Account) turn(c compute.Charge, open bool, at time.Time) *Account {
	next := &Account{Charge: c, Open: open, Since: at, Past: slices.Clone(a.Past)}
	if !open {
		next.Charge = a.Charge
	}
	if a.Open {
		if s := a.now(at); s.Hours > 0 {
			next.Past = append(next.Past, s)
		}
	}
	for len(next.Past) > maxSpans {
		next.Past = append([]Span{next.Past[0].and(next.Past[1])}, next.Past[2:]...)
	}
	return next
}

// same tells whether a charge goes on as it is.
func (a *Account) same(c compute.Charge, open bool) bool {
	if !open || !a.Open {
		return open == a.Open
	}
	equal := a.PerHour == nil && c.PerHour == nil || a.PerHour != nil && c.PerHour != nil && *a.PerHour == *c.PerHour
	return equal && a.Item == c.Item && a.Meter == c.Meter && a.Region == c.Region
}

// and puts two spans together.
func (s Span) and(other Span) Span {
	if other.From.Before(s.From) || s.From.IsZero() {
		s.From = other.From
	}
	if other.To.After(s.To) {
		s.To = other.To
	}
	s.USD, s.Hours, s.Unknown = s.USD+other.USD, s.Hours+other.Hours, s.Unknown+other.Unknown
	return s
}

// after is the part of a span that is not before a time, in proportion.
func (s Span) after(from time.Time) Span {
	switch {
	case !s.From.Before(from):
		return s
	case !s.To.After(from):
		return Span{}
	}
	part := s.To.Sub(from).Seconds() / s.To.Sub(s.From).Seconds()
	return Span{From: from, To: s.To, USD: s.USD * part, Hours: s.Hours * part, Unknown: s.Unknown * part}
}
