package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// leftRow is what still costs something of a host that is gone. Its JSON shape is a contract.
type leftRow struct {
	Kind     agent.LeftoverKind `json:"kind"`
	Name     string             `json:"name"`
	Provider string             `json:"provider_name"`
	Resource string             `json:"resource_id"`
	Monthly  *float64           `json:"usd_per_month"`
	Known    float64            `json:"known_usd_per_month"`
	Kept     *string            `json:"kept"` // why gc would keep it: it may be on its way to a host
}

// leftParts are all such parts. unseen says of whom they are not known, though their hosts are.
type leftParts struct {
	rows   []leftRow // nil: nobody was asked
	month  agent.USD // of what gc would remove
	unseen []fleet.ProviderError
}

func newLeftParts(parts []fleet.Garbage, unseen []fleet.ProviderError) leftParts {
	l := leftParts{rows: []leftRow{}, unseen: unseen}
	for _, p := range parts {
		if p.Kept == "" {
			l.month = l.month.Plus(p.Monthly)
		}
		l.rows = append(l.rows, leftRow{Kind: p.Kind, Name: p.Name, Provider: p.Provider, Resource: p.Resource,
			Monthly: rounded(p.Monthly.Exact()), Known: *rounded(&p.Monthly.Known), Kept: known(p.Kept)})
	}
	return l
}

// troubles are the providers that did not say, as JSON shows them.
func (l leftParts) troubles() []errorRow {
	rows := []errorRow{}
	for _, e := range l.unseen {
		rows = append(rows, newErrorRow(e))
	}
	return rows
}

// pricedWithParts is priced, and asks at the same time for what is left of hosts that are gone.
func (a *App) pricedWithParts(ctx context.Context, f *fleet.Fleet, providers []string) (fleet.Listing, leftParts, error) {
	var (
		parts   []fleet.Garbage
		unseen  []fleet.ProviderError
		problem error
		wg      sync.WaitGroup
	)
	wg.Go(func() { parts, unseen, problem = f.BilledParts(ctx, providers) })
	listing, err := a.priced(ctx, f, providers)
	wg.Wait()
	if err == nil {
		err = problem
	}
	unseen = slices.DeleteFunc(unseen, func(e fleet.ProviderError) bool {
		return slices.ContainsFunc(listing.Errors, func(known fleet.ProviderError) bool { return known.Provider == e.Provider })
	})
	return listing, newLeftParts(parts, unseen), err
}

// warn tells people of parts that bill in vain, and of providers that did not say whether
// they have some.
func (l leftParts) warn(p *output.Printer) {
	var names []string
	for _, row := range l.rows {
		if row.Kept == nil {
			names = append(names, kindWord(row.Kind)+" "+row.Name)
		}
	}
	if len(names) > 0 {
		what := "cost " + dollars(l.month, agent.PriceRetail, 2) + " a month besides"
		if l.month.Known == 0 {
			what = "bill besides"
		}
		p.Warn(fmt.Sprintf("parts of hosts that are gone %s: %s", what, strings.Join(names, ", ")), "mngr gc")
	}
	for _, e := range l.unseen {
		p.Warn("what is left of hosts that are gone is not known: "+e.Provider+": "+e.Err.Error(), agent.HintOf(e.Err))
	}
}
