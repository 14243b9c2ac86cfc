package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

func newCost(app *App) *cobra.Command {
	var flags listFlags
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Show what hosts cost now, and about what they have cost",
		Long: `Show what hosts cost now, and about what they have cost.

USD/HOUR is what a host costs in its present state: compute, disk and address while its
machine is allocated, disk and address while it is deallocated. RAN is for how long compute
was billed; SO FAR is that time and the host's age at today's prices, about: traffic, disk
operations, discounts and taxes are not in it. STOPPED/MONTH is what a deallocated host costs.

Prices come from Azure's Retail Prices API and are kept for a day. ~ marks those of a built-in
table, +? a sum in which a price is missing; what nobody knows is "unknown", and never 0.`,
		Example: `  mngr cost
  mngr cost --provider azure --format json
  mngr cost --include 'host.billing == "compute"'
  mngr cost --label team=web`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := newSelection(flags, string(output.Human))
			if err != nil {
				return err
			}
			f, err := app.fleet()
			if err != nil {
				return err
			}
			var left leftParts
			var listing fleet.Listing
			if s.filtered() { // some hosts are asked for, not the bill
				listing, err = app.priced(cmd.Context(), f, flags.providers)
			} else {
				listing, left, err = app.pricedWithParts(cmd.Context(), f, flags.providers)
			}
			if err != nil {
				return err
			}
			if err := app.printCosts(f, listing, left, &s); err != nil {
				return err
			}
			return listingCode(listing)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.providers, "provider", nil, "ask only this provider (repeatable)")
	f.StringArrayVar(&flags.include, "include", nil, "only hosts with an agent that fulfils this condition, as for list (repeatable: all of them)")
	f.StringArrayVar(&flags.exclude, "exclude", nil, "no agents that fulfil this condition, as for list (repeatable: any of them)")
	f.StringArrayVar(&flags.labels, "label", nil, "only hosts with an agent that has this label, KEY=VALUE (repeatable: any of them)")
	f.StringArrayVar(&flags.hostLabels, "host-label", nil, "only hosts whose machine has this tag, KEY=VALUE (repeatable: any of them)")
	return cmd
}

// The JSON shape of cost is a contract: keys are added, never changed.
type (
	hostCostRow struct {
		ID         agent.HostID    `json:"id"`
		Name       string          `json:"name"`
		Provider   string          `json:"provider_name"`
		State      agent.HostState `json:"state"`
		Billing    agent.Billing   `json:"billing"`
		Region     string          `json:"region"`
		Size       string          `json:"size"`
		Spot       bool            `json:"spot"`
		Agents     []string        `json:"agents"`
		Resource   string          `json:"resource_id"`
		Cost       costRow         `json:"cost"`
		RunSeconds *float64        `json:"run_seconds"` // for which compute was billed; null: not known
		Alarms     []alarmRow      `json:"alarms"`
	}
	costTotal struct {
		Hosts        int      `json:"hosts"`
		PerHour      *float64 `json:"usd_per_hour"`
		SoFar        *float64 `json:"usd_so_far"`
		StoppedMonth *float64 `json:"usd_per_month_stopped"` // if all were stopped
		KnownHour    float64  `json:"known_usd_per_hour"`
		KnownSoFar   float64  `json:"known_usd_so_far"`
		KnownMonth   float64  `json:"known_usd_per_month_stopped"`
		UnknownHour  int      `json:"hosts_with_unknown_usd_per_hour"`
		UnknownSoFar int      `json:"hosts_with_unknown_usd_so_far"`
	}
)

// costs are the wanted hosts of a listing and what they cost together.
type costs struct {
	hosts  []agent.Host
	each   []fleet.Cost
	now    agent.USD
	soFar  agent.USD
	month  agent.USD
	table  bool // a price comes out of the built-in table
	total  costTotal
	alarms [][]alarmRow
}

func newCosts(f *fleet.Fleet, l fleet.Listing, wanted []entry) costs {
	var c costs
	seen := map[string]bool{}
	for _, e := range wanted {
		if seen[e.host.Resource] {
			continue
		}
		seen[e.host.Resource] = true
		cost := l.Costs.Of(e.host)
		c.hosts, c.each, c.alarms = append(c.hosts, e.host), append(c.each, cost), append(c.alarms, alarmsOf(f, e.host))
		c.now, c.soFar = c.now.Plus(cost.Now), c.soFar.Plus(cost.SoFar)
		c.month = c.month.Plus(cost.Rate.IfStopped(e.host.Billing))
		c.table = c.table || cost.Rate.Source == agent.PriceTable
		if cost.Now.Unknown > 0 {
			c.total.UnknownHour++
		}
		if cost.SoFar.Unknown > 0 {
			c.total.UnknownSoFar++
		}
	}
	c.month.Known *= agent.HoursPerMonth
	t := &c.total
	t.Hosts, t.PerHour, t.SoFar, t.StoppedMonth = len(c.hosts), rounded(c.now.Exact()), rounded(c.soFar.Exact()), rounded(c.month.Exact())
	t.KnownHour, t.KnownSoFar, t.KnownMonth = *rounded(&c.now.Known), *rounded(&c.soFar.Known), *rounded(&c.month.Known)
	return c
}

func (c costs) rows() []hostCostRow {
	rows := []hostCostRow{}
	for n, h := range c.hosts {
		rows = append(rows, hostCostRow{
			ID: h.ID, Name: h.Name, Provider: h.Provider, State: h.State, Billing: h.Billing, Region: h.Region, Size: h.Size,
			Spot: h.Spot, Agents: agentNames(h), Resource: h.Resource, Cost: newCostRow(h, c.each[n], 6), RunSeconds: runSeconds(c.each[n]), Alarms: c.alarms[n],
		})
	}
	return rows
}

func (a *App) printCosts(f *fleet.Fleet, l fleet.Listing, left leftParts, s *selection) error {
	p := a.printer()
	wanted, err := s.pick(f, l, func(err error) { p.Warn(err.Error(), "hosts for which it cannot be told are left out") })
	if err != nil {
		return err
	}
	c := newCosts(f, l, wanted)
	errs := []errorRow{}
	for _, e := range l.Errors {
		errs = append(errs, newErrorRow(e))
	}
	if p.Format == output.JSONL {
		return printCostLines(p, c, left, left.troubles(), errs)
	}
	err = p.Emit(output.Result{
		Data:  map[string]any{"hosts": c.rows(), "leftovers": left.rows, "leftover_errors": left.troubles(), "total": c.total, "errors": errs},
		Human: func(w io.Writer) error { return costTable(f, p, w, c, left, s.filtered(), l) },
	})
	if p.Format == output.Human {
		left.warn(p)
		for _, e := range l.Errors {
			p.Warn(e.Provider+": "+e.Err.Error(), agent.HintOf(e.Err))
		}
	}
	return err
}

func printCostLines(p *output.Printer, c costs, left leftParts, unseen, errs []errorRow) error {
	for _, row := range c.rows() {
		if err := p.Row(row); err != nil {
			return err
		}
	}
	for _, row := range left.rows {
		if err := p.Emit(output.Result{Event: "leftover", Data: row}); err != nil {
			return err
		}
	}
	for _, e := range unseen {
		if err := p.Emit(output.Result{Event: "leftover_error", Data: e}); err != nil {
			return err
		}
	}
	for _, e := range errs {
		if err := p.Emit(output.Result{Event: "error", Data: e}); err != nil {
			return err
		}
	}
	return p.Emit(output.Result{Event: "total", Data: c.total})
}

func costTable(f *fleet.Fleet, p *output.Printer, w io.Writer, c costs, left leftParts, filtered bool, l fleet.Listing) error {
	if len(c.hosts) == 0 {
		switch {
		case filtered:
			p.Note("no host is like that; `mngr cost` shows all")
		case len(l.Errors)+len(left.rows)+len(left.unseen) == 0:
			p.Note("no hosts, and nothing that bills for one")
		}
		return nil
	}
	t := output.Table{Header: []string{"HOST", "PROVIDER", "HOST STATE", "SIZE", "REGION", "USD/HOUR", "RAN", "SO FAR", "STOPPED/MONTH", "PRICES"}}
	for n, h := range c.hosts {
		cost := c.each[n]
		t.Rows = append(t.Rows, []string{
			h.Name, h.Provider, string(h.State), sizeOf(h), h.Region, dollars(cost.Now, cost.Rate.Source, 4), ranFor(cost),
			dollars(cost.SoFar, cost.Rate.Source, 2), dollarsMonth(h, cost.Rate), pricesOf(cost.Rate),
		})
	}
	if err := p.WriteTable(w, t); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w, c.line()); err != nil {
		return err
	}
	warnOfHosts(f, p, l, c.hosts)
	return nil
}

// line sums up.
func (c costs) line() string {
	source := agent.PriceRetail
	if c.table {
		source = agent.PriceTable
	}
	hosts := "1 host"
	if len(c.hosts) != 1 {
		hosts = fmt.Sprintf("%d hosts", len(c.hosts))
	}
	return fmt.Sprintf("%s: USD %s an hour now, about %s so far, %s a month if all were stopped%s.", hosts,
		dollars(c.now, source, 4), dollars(c.soFar, source, 2), dollars(c.month, source, 2), c.missing())
}

// missing counts apart what is not known.
func (c costs) missing() string {
	var parts []string
	if n := c.total.UnknownHour; n > 0 {
		parts = append(parts, fmt.Sprintf("of %d a price is not known", n))
	}
	if n := c.total.UnknownSoFar; n > 0 {
		parts = append(parts, fmt.Sprintf("of %d not what they have cost", n))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func sizeOf(h agent.Host) string {
	if h.Spot {
		return h.Size + " Spot"
	}
	return h.Size
}

func runSeconds(c fleet.Cost) *float64 {
	if !c.RanYet {
		return nil
	}
	return roundedTo(new(c.Ran.Seconds()), 3)
}

func ranFor(c fleet.Cost) string {
	if !c.RanYet {
		return "unknown"
	}
	return roughly(c.Ran.Truncate(time.Second))
}

func dollarsMonth(h agent.Host, r agent.Rate) string {
	sum := r.IfStopped(h.Billing)
	sum.Known *= agent.HoursPerMonth
	return dollars(sum, r.Source, 2)
}

// pricesOf says where prices come from, and of when.
func pricesOf(r agent.Rate) string {
	switch r.Source {
	case agent.PriceRetail:
		return "retail " + r.Date
	case agent.PriceTable:
		return "table " + r.Date
	}
	return "unknown"
}
