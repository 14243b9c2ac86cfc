package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// The JSON shape of gc is a contract: keys are added, never changed.
type (
	gcResult struct {
		Candidates   []gcRow    `json:"candidates"`
		Removed      int        `json:"removed_count"`
		SavedMonthly float64    `json:"usd_per_month"` // of what is, or would be, removed and has a known price
		Unknown      int        `json:"candidates_with_unknown_usd_per_month"`
		Errors       []errorRow `json:"errors"`
		DryRun       bool       `json:"dry_run"`
	}
	gcRow struct {
		Kind     agent.LeftoverKind `json:"kind"`
		Name     string             `json:"name"`
		ID       string             `json:"id"`
		Provider string             `json:"provider_name"`
		Why      string             `json:"why"`
		Kept     *string            `json:"kept"` // why it stays; null when it goes
		Age      *int               `json:"age_seconds"`
		Monthly  *float64           `json:"usd_per_month"` // approximate
		Known    float64            `json:"known_usd_per_month"`
		Removed  bool               `json:"removed"`
		Failure  *string            `json:"failure"`
	}
)

func newGCResult(list fleet.GarbageList, dryRun bool) gcResult {
	r := gcResult{Candidates: []gcRow{}, Errors: []errorRow{}, DryRun: dryRun}
	saved := agent.USD{}
	for _, g := range list.Items {
		row := gcRow{Kind: g.Kind, Name: g.Name, ID: g.Resource, Provider: g.Provider, Why: g.Why, Monthly: rounded(g.Monthly.Exact()), Known: *rounded(&g.Monthly.Known), Removed: g.Removed}
		if g.Kept != "" {
			row.Kept = &g.Kept
		}
		if !g.Since.IsZero() {
			row.Age = new(int(time.Since(g.Since).Seconds()))
		}
		if g.Err != nil {
			row.Failure = new(g.Err.Error())
		}
		if g.Removed {
			r.Removed++
		}
		if g.Removed || dryRun && g.Kept == "" {
			saved = saved.Plus(g.Monthly)
			if g.Monthly.Unknown > 0 {
				r.Unknown++
			}
		}
		r.Candidates = append(r.Candidates, row)
	}
	r.SavedMonthly = *rounded(&saved.Known)
	for _, e := range list.Errors {
		r.Errors = append(r.Errors, newErrorRow(e))
	}
	return r
}

func (a *App) printGC(list fleet.GarbageList, dryRun bool) error {
	p := a.printer()
	r := newGCResult(list, dryRun)
	for _, e := range list.Errors {
		if p.Format == output.Human {
			p.Warn(e.Provider+" could not be asked, and everything of it stays: "+e.Err.Error(), agent.HintOf(e.Err))
		}
	}
	return p.Emit(output.Result{Event: "gc", Data: r, Human: func(w io.Writer) error { return gcTable(p, w, r) }})
}

func gcTable(p *output.Printer, w io.Writer, r gcResult) error {
	if len(r.Candidates) == 0 {
		if len(r.Errors) == 0 {
			p.Note("nothing is left over")
		}
		return nil
	}
	t := output.Table{Header: []string{"KIND", "NAME", "PROVIDER", "AGE", "USD/MONTH", "RESULT", "WHY"}}
	for _, c := range r.Candidates {
		age, cost := "-", dollars(c.monthly(), agent.PriceTable, 2)
		if c.Age != nil {
			age = roughly(time.Duration(*c.Age) * time.Second)
		}
		result, why := "would go", c.Why
		switch {
		case c.Removed:
			result = "removed"
		case c.Kept != nil:
			result, why = "kept", why+"; "+*c.Kept
		case c.Failure != nil:
			result = "failed"
		}
		t.Rows = append(t.Rows, []string{kindWord(c.Kind), c.Name, c.Provider, age, cost, result, why})
	}
	if err := p.WriteTable(w, t); err != nil {
		return err
	}
	verb, n := "Removed", r.Removed
	if r.DryRun {
		verb, n = "Would remove", 0
		for _, c := range r.Candidates {
			if c.Kept == nil {
				n++
			}
		}
	}
	_, err := fmt.Fprintf(w, "%s %d of %d; %s.\n", verb, n, len(r.Candidates), r.saving())
	return err
}

// monthly is the sum as it was: how many parts have no known price does not matter here.
func (c gcRow) monthly() agent.USD {
	if c.Monthly == nil {
		return agent.USD{Known: c.Known, Unknown: 1}
	}
	return agent.USD{Known: c.Known}
}

// saving says what the bill is less by: never nothing where a price is not known.
func (r gcResult) saving() string {
	switch {
	case r.Unknown == 0:
		return fmt.Sprintf("about $%.2f a month less", r.SavedMonthly)
	case r.SavedMonthly == 0:
		return fmt.Sprintf("what they cost is not known (%d)", r.Unknown)
	}
	return fmt.Sprintf("at least about $%.2f a month less (of %d a price is not known)", r.SavedMonthly, r.Unknown)
}

func kindWord(k agent.LeftoverKind) string { return strings.ReplaceAll(string(k), "_", " ") }

// roughly is a duration as a person says it.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
