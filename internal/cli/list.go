package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
	"mngr/internal/records"
)

func newList(app *App) *cobra.Command {
	var providers []string
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List agents, their hosts and what is billed",
		Long: `List agents, their hosts and what is billed.

BILLING says what a host costs now: compute (the machine, its disk and its address),
storage (disk and address only), none, or unknown.`,
		Example: "  mngr list\n  mngr list --format json\n  mngr list --provider azure-west",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := app.fleet()
			if err != nil {
				return err
			}
			listing, err := f.List(cmd.Context(), providers, true)
			if err != nil {
				return err
			}
			if err := app.printListing(f, listing); err != nil {
				return err
			}
			return listingCode(listing)
		},
	}
	cmd.Flags().StringArrayVar(&providers, "provider", nil, "ask only this provider (repeatable)")
	return cmd
}

// The JSON shape of `list` is a contract: keys are added, never changed.
type (
	agentRow struct {
		ID     agent.ID          `json:"id"`
		Name   string            `json:"name"`
		Type   string            `json:"type"`
		State  agent.State       `json:"state"`
		Labels map[string]string `json:"labels"`
		Host   hostRow           `json:"host"`
	}
	hostRow struct {
		ID        agent.HostID    `json:"id"`
		Name      string          `json:"name"`
		Provider  string          `json:"provider_name"`
		State     agent.HostState `json:"state"`
		Billing   agent.Billing   `json:"billing"`
		Region    string          `json:"region"`
		Size      string          `json:"size"`
		CreatedAt *time.Time      `json:"created_at"`
		SSH       sshRow          `json:"ssh"`
		StoppedBy *string         `json:"stopped_by"` // of a STOPPED host: user or unknown
		Failure   *string         `json:"failure_reason"`
		Agents    []string        `json:"agents"`
		Resource  string          `json:"resource_id"`
		Unsafe    bool            `json:"unsafe"` // made with --unsafe-start-args
	}
	sshRow struct {
		User string `json:"user"`
		Host string `json:"host"`
		Port int    `json:"port"`
	}
	errorRow struct {
		Provider     string `json:"provider_name"`
		Host         string `json:"host,omitempty"`
		Kind         string `json:"error_class"`
		Message      string `json:"message"`
		Help         string `json:"help_text,omitempty"`
		Inaccessible bool   `json:"is_provider_inaccessible"`
	}
)

func (a *App) printListing(f *fleet.Fleet, l fleet.Listing) error {
	rows, hosts, errs := []agentRow{}, []hostRow{}, []errorRow{}
	for _, h := range l.Hosts {
		hosts = append(hosts, newHostRow(f, h))
	}
	for _, r := range l.Rows {
		labels := r.Agent.Labels
		if labels == nil {
			labels = map[string]string{}
		}
		rows = append(rows, agentRow{ID: r.Agent.ID, Name: r.Agent.Name, Type: r.Agent.Type, State: r.State, Labels: labels, Host: newHostRow(f, r.Host)})
	}
	for _, e := range l.Errors {
		errs = append(errs, newErrorRow(e))
	}
	p := a.printer()
	if p.Format == output.JSONL {
		return printListingLines(p, rows, errs)
	}
	err := p.Emit(output.Result{
		Data:  map[string]any{"agents": rows, "hosts": hosts, "errors": errs},
		Human: func(w io.Writer) error { return listTable(p, w, l) },
	})
	if p.Format == output.Human {
		for _, e := range l.Errors {
			p.Warn(e.Provider+": "+e.Err.Error(), agent.HintOf(e.Err))
		}
	}
	return err
}

func printListingLines(p *output.Printer, rows []agentRow, errs []errorRow) error {
	for _, r := range rows {
		if err := p.Row(r); err != nil {
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

func newHostRow(f *fleet.Fleet, h agent.Host) hostRow {
	row := hostRow{
		ID: h.ID, Name: h.Name, Provider: h.Provider, State: h.State, Billing: h.Billing,
		Region: h.Region, Size: h.Size, Resource: h.Resource, Unsafe: h.Unsafe,
		SSH:    sshRow{User: "root", Host: h.Address, Port: f.Guests.Port(h)},
		Agents: []string{},
	}
	if !h.CreatedAt.IsZero() {
		row.CreatedAt = new(h.CreatedAt.UTC())
	}
	if h.Failure != "" {
		row.Failure = &h.Failure
	}
	if h.State == agent.HostStopped {
		row.StoppedBy = new("unknown")
		if by := h.Tags[records.StoppedBy]; by == "user" {
			row.StoppedBy = &by
		}
	}
	for _, a := range h.Agents {
		row.Agents = append(row.Agents, a.Name)
	}
	return row
}

func newErrorRow(e fleet.ProviderError) errorRow {
	return errorRow{
		Provider: e.Provider, Host: e.Host, Kind: string(agent.KindOf(e.Err)), Message: e.Err.Error(),
		Help: agent.HintOf(e.Err), Inaccessible: inaccessible(e),
	}
}

func inaccessible(e fleet.ProviderError) bool {
	if e.Host != "" {
		return false
	}
	switch agent.KindOf(e.Err) {
	case agent.KindCredentials, agent.KindDenied, agent.KindNotPrepared, agent.KindUnreachable, agent.KindTimeout:
		return true
	}
	return false
}

// listTable shows hosts without agents too: what bills must be seen.
func listTable(p *output.Printer, w io.Writer, l fleet.Listing) error {
	t := output.Table{Header: []string{"NAME", "STATE", "HOST", "PROVIDER", "HOST STATE", "BILLING", "ADDRESS"}}
	for _, r := range l.Rows {
		t.Rows = append(t.Rows, []string{
			r.Agent.Name, string(r.State), r.Host.Name, r.Host.Provider, stateOf(r.Host), string(r.Host.Billing), r.Host.Address,
		})
	}
	for _, h := range l.Hosts {
		if len(h.Agents) == 0 {
			t.Rows = append(t.Rows, []string{"-", "-", h.Name, h.Provider, stateOf(h), string(h.Billing), h.Address})
		}
	}
	if len(t.Rows) == 0 {
		if len(l.Errors) == 0 {
			p.Note("no agents; `mngr create NAME` makes one")
		}
		return nil
	}
	if err := p.WriteTable(w, t); err != nil {
		return err
	}
	for _, h := range l.Hosts {
		if h.Failure != "" {
			p.Warn("host "+h.Name+" is "+string(h.State)+": "+h.Failure, "")
		}
	}
	return nil
}

// stateOf marks a host whose agents may have taken over its machine.
func stateOf(h agent.Host) string {
	if h.Unsafe {
		return string(h.State) + " UNSAFE"
	}
	return string(h.State)
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
