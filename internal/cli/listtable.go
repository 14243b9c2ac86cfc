package cli

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// defaultFields are the columns of `list`.
var defaultFields = []string{"name", "state", "host.name", "host.provider_name", "host.state", "host.billing", usdPerHour, usdSoFar, "host.ssh.host"}

// Fields that the default columns show for people.
const (
	usdPerHour = "host.cost.usd_per_hour"
	usdSoFar   = "host.cost.usd_so_far"
)

// header is the head of a field's column; a field without one of its own gets its path.
func (s *selection) header(field string) string {
	own := map[string]string{
		"host.name": "HOST", "host.provider_name": "PROVIDER", "host.billing": "BILLING", "host.ssh.host": "ADDRESS",
		usdPerHour: "USD/HOUR", usdSoFar: "SO FAR",
		"host.tags": "HOST LABELS", "host.idle.mode": "IDLE MODE", "host.idle.timeout_seconds": "IDLE TIMEOUT",
		"host.idle.seconds_left": "SECONDS LEFT", "labels.project": "PROJECT",
	}[field]
	return cmp.Or(s.headers[field], own, strings.ToUpper(strings.NewReplacer(".", " ", "_", " ").Replace(field)))
}

// listTable shows hosts without agents too: what bills must be seen.
func listTable(f *fleet.Fleet, p *output.Printer, w io.Writer, s *selection, wanted []entry, l fleet.Listing) error {
	if len(wanted) == 0 {
		switch {
		case s.filtered():
			p.Note("no agent is like that; `mngr list` shows all")
		case len(l.Unused) > 0 && len(l.Errors) == 0:
			p.Note("no agents; %s: %s", l.Unused[0].Provider, l.Unused[0].Err)
			p.Note("hint: az login # or without a subscription: mngr azure prepare --provider azure-local")
		case len(l.Errors) == 0:
			p.Note("no agents")
			p.Note("hint: mngr create my-agent --provider %s --type shell # makes one; one that runs a command: mngr create my-agent --provider %[1]s -- COMMAND", askedProvider(f))
		}
		return nil
	}
	fields := s.fields
	if len(fields) == 0 {
		fields = defaultFields
	}
	var t output.Table
	for _, field := range fields {
		t.Header = append(t.Header, s.header(field))
	}
	for _, e := range wanted {
		var cells []string
		for _, field := range fields {
			cell := output.Text(e.row.Get(field))
			if e.data == nil && !strings.HasPrefix(field, "host") {
				cell = "-"
			}
			if len(s.fields) == 0 {
				cell = e.forPeople(f.Now(), field, cell)
			}
			cells = append(cells, cell)
		}
		t.Rows = append(t.Rows, cells)
	}
	if err := p.WriteTable(w, t); err != nil {
		return err
	}
	hosts := make([]agent.Host, len(wanted))
	for n, e := range wanted {
		hosts[n] = e.host
	}
	warnOfHosts(f, p, l, hosts)
	return nil
}

// askedProvider is an instance that somebody uses.
func askedProvider(f *fleet.Fleet) string {
	for _, i := range f.Instances {
		if !i.Dormant && !i.Unused {
			return i.Name()
		}
	}
	return "azure-local" // which needs no login
}

// saidAsError tells whether a host's failure is among the listing's errors, which are shown
// with their remedies.
func saidAsError(l fleet.Listing, h agent.Host) bool {
	return slices.ContainsFunc(l.Errors, func(e fleet.ProviderError) bool {
		return e.Host == h.Name && e.Provider == h.Via && e.Err.Error() == h.Failure
	})
}

// forPeople makes of a default column's cell what says most in little room.
func (e entry) forPeople(now time.Time, field, cell string) string {
	switch {
	case field == "host.state":
		if s := e.host.State; (s == agent.HostCreating || s == agent.HostFailed) && !e.host.CreatedAt.IsZero() {
			cell += " (" + roughly(now.Sub(e.host.CreatedAt)) + " old)" // at 45 minutes gc may have it
		}
		if e.host.Unsafe {
			cell += " UNSAFE" // its agents may have taken over its machine
		}
	case field == usdPerHour:
		return dollars(e.cost.Now, e.cost.Rate.Source, 4)
	case field == usdSoFar:
		return dollars(e.cost.SoFar, e.cost.Rate.Source, 2)
	}
	return cell
}

// warnOfHosts says of each host once what is wrong with it, but for what the listing's errors
// say.
func warnOfHosts(f *fleet.Fleet, p *output.Printer, l fleet.Listing, hosts []agent.Host) {
	warned := map[string]bool{}
	for _, h := range hosts {
		if warned[h.Resource] {
			continue
		}
		warned[h.Resource] = true
		if saidAsError(l, h) {
			h.Failure = ""
		}
		warnOfHost(f, p, h)
	}
}

// warnOfHost says of a host what is wrong with it, and what it costs in vain.
func warnOfHost(f *fleet.Fleet, p *output.Printer, h agent.Host) {
	alarms := alarmsOf(f, h)
	if h.Failure != "" && len(alarms) == 0 {
		p.Warn("host "+h.Name+" is "+string(h.State)+": "+h.Failure, "")
	}
	for _, a := range alarms {
		p.Warn(a.Message, a.remedy())
	}
}
