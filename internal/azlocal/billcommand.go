package azlocal

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/bill"
	"mngr/internal/azlocal/fabric"
)

// report answers GET /bill?since=TIME.
func (s *Server) report(r *http.Request) (out any, err error) {
	since := time.Time{}
	if text := r.URL.Query().Get("since"); text != "" {
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, fmt.Errorf("since is a time such as 2026-01-31T12:00:00Z, not %q", text)
		}
	}
	s.world.View(func(*fabric.Tx) { out = s.books.Report(since) })
	return out, nil
}

func newBill() *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use: "bill", Args: cobra.NoArgs,
		Short: "Show what everything would have cost on Azure",
		Long: `Show what everything would have cost on Azure, also what is deleted by now: compute while
a machine is allocated, disks and public addresses while they exist. It is counted from
every change of state, in true time, and goes on while the local Azure is down.

Prices are list prices of a few regions. What has no known price is counted in hours,
on top of the total.`,
		Example: "  mngr azure local bill\n  mngr azure local bill --since 1h --format json",
	}
	cmd.Flags().StringVar(&since, "since", "", "only what was billed from this time on (RFC 3339), or within this time from now (1h)")
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from, err := parseSince(since, time.Now())
		if err != nil {
			return err
		}
		path := "/bill"
		if !from.IsZero() {
			path += "?since=" + url.QueryEscape(from.Format(time.RFC3339Nano))
		}
		var r bill.Report
		if err := ask(cmd, http.MethodGet, path, nil, &r); err != nil {
			return err
		}
		return emit(cmd.OutOrStdout(), *format, r, r.Resources, func(w io.Writer) error { return printBill(w, r) })
	}
	return cmd
}

func printBill(w io.Writer, r bill.Report) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(r.Resources) > 0 {
		fmt.Fprintln(t, "USD\tHOURS\tNOW\tMETER\tITEM\tREGION\tRESOURCE")
	}
	for _, l := range r.Resources {
		usd, now := fmt.Sprintf("%.4f", l.USD), "-"
		if l.Unknown > 0 {
			usd = "unknown"
			if l.USD > 0 {
				usd = fmt.Sprintf("> %.4f", l.USD)
			}
		}
		if l.Billed {
			now = "billed"
		}
		fmt.Fprintf(t, "%s\t%.2f\t%s\t%s\t%s\t%s\t%s\n", usd, l.Hours, now, l.Meter, l.Item, cmp.Or(l.Region, "-"), dash(l.Resource))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n$%.4f in all, $%.4f an hour now; %.2f hours without a known price (prices of %s)\n", r.USD, r.PerHour, r.Unknown, r.PricesOf)
	return err
}
