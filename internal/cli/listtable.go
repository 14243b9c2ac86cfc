package cli

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// defaultFields are the columns of `list`.
var defaultFields = []string{"name", "state", "host.name", "host.provider_name", "host.state", "host.billing", "host.ssh.host"}

// header is the head of a field's column; a field without one of its own gets its path.
func (s *selection) header(field string) string {
	own := map[string]string{
		"host.name": "HOST", "host.provider_name": "PROVIDER", "host.billing": "BILLING", "host.ssh.host": "ADDRESS",
		"host.tags": "HOST LABELS", "host.idle.mode": "IDLE MODE", "host.idle.timeout_seconds": "IDLE TIMEOUT",
		"host.idle.seconds_left": "SECONDS LEFT", "labels.project": "PROJECT",
	}[field]
	return cmp.Or(s.headers[field], own, strings.ToUpper(strings.NewReplacer(".", " ", "_", " ").Replace(field)))
}

// listTable shows hosts without agents too: what bills must be seen.
func listTable(p *output.Printer, w io.Writer, s *selection, wanted []entry, l fleet.Listing) error {
	if len(wanted) == 0 {
		switch {
		case s.filtered():
			p.Note("no agent is like that; `mngr list` shows all")
		case len(l.Unused) > 0 && len(l.Errors) == 0:
			p.Note("no agents; %s: %s", l.Unused[0].Provider, l.Unused[0].Err)
			p.Note("hint: az login; without a subscription: mngr azure prepare --provider azure-local")
		case len(l.Errors) == 0:
			p.Note("no agents; `mngr create NAME` makes one")
		}
		return nil
	}
	fields := s.fields
	if len(fields) == 0 {
		fields = defaultFields
	}
	var t output.Table
	for _, f := range fields {
		t.Header = append(t.Header, s.header(f))
	}
	for _, e := range wanted {
		var cells []string
		for _, f := range fields {
			cell := output.Text(e.row.Get(f))
			if e.data == nil && !strings.HasPrefix(f, "host") {
				cell = "-"
			}
			if f == "host.state" && e.host.Unsafe && len(s.fields) == 0 {
				cell += " UNSAFE" // its agents may have taken over its machine
			}
			cells = append(cells, cell)
		}
		t.Rows = append(t.Rows, cells)
	}
	if err := p.WriteTable(w, t); err != nil {
		return err
	}
	warned := map[string]bool{}
	for _, e := range wanted {
		if h := e.host; !warned[h.Resource] {
			warned[h.Resource] = true
			warnOfHost(p, h)
		}
	}
	return nil
}

// showsHost tells whether a host's failure is in the listing's own words already.
func showsHost(wanted []entry, e fleet.ProviderError) bool {
	return slices.ContainsFunc(wanted, func(w entry) bool {
		return w.host.Name == e.Host && w.host.Via == e.Provider && w.host.Failure == e.Err.Error()
	})
}

func warnOfHost(p *output.Printer, h agent.Host) {
	if h.Failure != "" {
		p.Warn("host "+h.Name+" is "+string(h.State)+": "+h.Failure, "")
	}
	if h.State == agent.HostRunning && h.SelfStop != nil && !*h.SelfStop {
		p.Warn("host "+h.Name+" cannot deallocate itself when idle: "+h.SelfStopWhy, "")
	}
}
