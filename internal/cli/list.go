package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// templates marks the commands that take a template for --format.
const templates = "templates"

func newList(app *App) *cobra.Command {
	var flags listFlags
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List agents, their hosts and what is billed",
		Long: `List agents, their hosts and what is billed.

BILLING says what a host costs now: compute (the machine, its disk and its address),
storage (disk and address only), none, or unknown. USD/HOUR is what that costs, SO FAR about
what the host has cost; ~ marks list prices of a table, +? what has no known price. See
mngr cost.

--include and --exclude take conditions in CEL over the fields that --schema prints.
What a row does not have, such as a label, fulfils no condition.`,
		Example: `  mngr list
  mngr list --format json
  mngr list --running --label team=web
  mngr list --include 'host.billing == "compute" && age > 86400'
  mngr list --fields name,state,host.idle.mode,host.idle.timeout_seconds,host.idle.seconds_left
  mngr list --format '{name} {host.state}'
  mngr stop $(mngr list --ids --include 'labels.batch == "7"')`,
		Args:        cobra.NoArgs,
		Annotations: map[string]string{templates: "yes"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := newSelection(flags, app.global.format)
			if err != nil {
				return err
			}
			if flags.schema {
				return app.printSchema(s)
			}
			f, err := app.fleet()
			if err != nil {
				return err
			}
			listing, err := app.priced(cmd.Context(), f, flags.providers)
			if err != nil {
				return err
			}
			if err := app.printListing(f, listing, &s); err != nil {
				return err
			}
			return listingCode(listing)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.providers, "provider", nil, "ask only this provider (repeatable)")
	f.StringArrayVar(&flags.include, "include", nil, "only rows that fulfil this condition (repeatable: all of them)")
	f.StringArrayVar(&flags.exclude, "exclude", nil, "no rows that fulfil this condition (repeatable: any of them)")
	f.StringArrayVar(&flags.labels, "label", nil, "only agents with this label, KEY=VALUE (repeatable: any of them)")
	f.StringArrayVar(&flags.hostLabels, "host-label", nil, "only hosts whose machine has this tag, KEY=VALUE (repeatable: any of them)")
	f.BoolVar(&flags.running, "running", false, "only agents that run, waiting ones included")
	f.BoolVar(&flags.stopped, "stopped", false, "only agents that are stopped")
	f.BoolVar(&flags.active, "active", false, "no hosts that failed, were evicted or are being deleted")
	f.StringArrayVar(&flags.fields, "fields", nil, "the fields to show, separated by commas")
	f.StringArrayVar(&flags.headers, "header", nil, "the header of a field's column, FIELD=LABEL (repeatable)")
	f.StringVar(&flags.sort, "sort", "", "order of the rows: FIELD [asc|desc], … (default: age of the host)")
	f.IntVar(&flags.limit, "limit", 0, "no more rows than this")
	f.BoolVar(&flags.ids, "ids", false, "only the ids of the agents")
	f.BoolVar(&flags.addrs, "addrs", false, "only the addresses of the agents: NAME@HOST.PROVIDER")
	f.BoolVar(&flags.schema, "schema", false, "print the fields that rows have, and ask nobody")
	return cmd
}

func (a *App) printSchema(s selection) error {
	return a.printer().Emit(output.Result{
		Event: "schema",
		Data:  map[string]any{"fields": s.schema.Names()},
		Human: func(w io.Writer) error {
			_, err := fmt.Fprintln(w, strings.Join(s.schema.Names(), "\n"))
			return err
		},
	})
}

func (a *App) printListing(f *fleet.Fleet, l fleet.Listing, s *selection) error {
	p := a.printer()
	wanted, err := s.pick(f, l, func(err error) { p.Warn(err.Error(), "rows for which it cannot be told are left out") })
	if err != nil {
		return err
	}
	errs := []errorRow{}
	for _, e := range l.Errors {
		errs = append(errs, newErrorRow(e))
	}
	switch p.Format {
	case output.JSONL:
		return printListingLines(p, s, wanted, errs)
	case output.JSON:
		rows := []any{}
		for _, e := range wanted {
			if e.data != nil {
				rows = append(rows, s.shown(e))
			}
		}
		return p.Emit(output.Result{Data: map[string]any{"agents": rows, "hosts": s.hosts(f, l, wanted), "errors": errs}})
	}
	err = p.Emit(output.Result{Human: func(w io.Writer) error {
		if s.template != nil {
			return writeTemplate(w, *s.template, wanted)
		}
		return listTable(f, p, w, s, wanted, l)
	}})
	for _, e := range l.Errors {
		p.Warn(e.Provider+": "+e.Err.Error(), agent.HintOf(e.Err))
	}
	return err
}

// priced lists hosts and agents, and what the hosts cost.
func (*App) priced(ctx context.Context, f *fleet.Fleet, providers []string) (fleet.Listing, error) {
	listing, err := f.List(ctx, providers, true)
	if err != nil {
		return fleet.Listing{}, err
	}
	listing.Costs = f.Costs(ctx, listing.Hosts)
	return listing, nil
}

// shown is a row as JSON shows it.
func (s *selection) shown(e entry) any {
	if len(s.fields) > 0 {
		return e.row.Project(s.schema, s.fields)
	}
	return e.data
}

// hosts are those of the entries; without a filter, all.
func (s *selection) hosts(f *fleet.Fleet, l fleet.Listing, wanted []entry) []hostRow {
	in := map[string]bool{}
	for _, e := range wanted {
		in[e.host.Resource] = true
	}
	rows := []hostRow{}
	for _, h := range l.Hosts {
		if in[h.Resource] || !s.filtered() {
			rows = append(rows, newHostRow(f, h, l.Costs.Of(h)))
		}
	}
	return rows
}

func printListingLines(p *output.Printer, s *selection, wanted []entry, errs []errorRow) error {
	for _, e := range wanted {
		if e.data == nil {
			continue
		}
		if err := p.Row(s.shown(e)); err != nil {
			return err
		}
	}
	for _, e := range errs {
		if err := p.Emit(output.Result{Event: "error", Data: e}); err != nil {
			return err
		}
	}
	return nil
}

func writeTemplate(w io.Writer, t output.Template, wanted []entry) error {
	for _, e := range wanted {
		if e.data == nil {
			continue
		}
		if _, err := fmt.Fprintln(w, t.Execute(e.row.Get)); err != nil {
			return err
		}
	}
	return nil
}

// listingCode is 6 when nothing but inaccessible providers went wrong, else 1.
func listingCode(l fleet.Listing) error {
	if len(l.Errors) == 0 {
		return nil
	}
	for _, e := range l.Errors {
		if !inaccessible(e) {
			return &output.Exit{Code: output.CodeFailed}
		}
	}
	return &output.Exit{Code: output.CodeInaccessible}
}
