package cli

import (
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/records"
)

// The JSON shape of `list` is a contract: keys are added, never changed. docs/cli.md
// explains them, and --schema prints them.
type (
	agentRow struct {
		ID          agent.ID          `json:"id"`
		Name        string            `json:"name"`
		Type        string            `json:"type"`
		State       agent.State       `json:"state"`
		StateReason *string           `json:"state_reason"` // of UNKNOWN
		Labels      map[string]string `json:"labels"`
		Command     []string          `json:"command"` // from here on as its host says, null where that was not asked
		WorkDir     *string           `json:"work_dir"`
		Branch      *string           `json:"branch"`
		PID         *int              `json:"pid"`
		CreatedAt   *time.Time        `json:"created_at"`
		StartedAt   *time.Time        `json:"started_at"`
		ExitCode    *int              `json:"exit_code"`
		Host        hostRow           `json:"host"`
	}
	hostRow struct {
		ID        agent.HostID      `json:"id"`
		Name      string            `json:"name"`
		Provider  string            `json:"provider_name"`
		State     agent.HostState   `json:"state"`
		Billing   agent.Billing     `json:"billing"`
		Region    string            `json:"region"`
		Size      string            `json:"size"`
		Spot      bool              `json:"spot"`
		CreatedAt *time.Time        `json:"created_at"`
		SSH       sshRow            `json:"ssh"`
		Idle      *idleRow          `json:"idle"`             // null where nobody could be asked
		SelfStop  *bool             `json:"self_stop"`        // it may deallocate itself; null: not known
		NoStop    *string           `json:"self_stop_reason"` // why not
		EndsAt    *time.Time        `json:"auto_shutdown_at"` // it deallocates itself then; null: never, or not known
		StoppedBy *string           `json:"stopped_by"`       // of a STOPPED host: user or unknown
		Failure   *string           `json:"failure_reason"`
		Agents    []string          `json:"agents"`
		Tags      map[string]string `json:"tags"` // that others have put on the machine
		Resource  string            `json:"resource_id"`
		Unsafe    bool              `json:"unsafe"` // made with --unsafe-start-args
		Cost      costRow           `json:"cost"`
		Alarms    []alarmRow        `json:"alarms"` // what bills and should not
	}
	sshRow struct {
		User string `json:"user"`
		Host string `json:"host"`
		Port int    `json:"port"`
	}
	idleRow struct {
		Mode           *string `json:"mode"` // null: no one mode for all its agents
		TimeoutSeconds int     `json:"timeout_seconds"`
		SecondsLeft    *int    `json:"seconds_left"` // null: never
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

func newAgentRow(f *fleet.Fleet, r fleet.Row, cost fleet.Cost) agentRow {
	row := agentRow{
		ID: r.Agent.ID, Name: r.Agent.Name, Type: r.Agent.Type, State: r.State,
		StateReason: known(r.Why), Labels: r.Agent.Labels, Host: newHostRow(f, r.Host, cost),
	}
	if row.Labels == nil {
		row.Labels = map[string]string{}
	}
	if g := r.Guest; g != nil {
		row.Command, row.WorkDir, row.Branch = g.Command, known(g.WorkDir), known(g.Branch)
		row.StartedAt, row.ExitCode = g.StartedAt, g.ExitCode
		if g.PID != 0 {
			row.PID = &g.PID
		}
		if !g.CreatedAt.IsZero() {
			row.CreatedAt = &g.CreatedAt
		}
	}
	return row
}

func newHostRow(f *fleet.Fleet, h agent.Host, cost fleet.Cost) hostRow {
	row := hostRow{
		ID: h.ID, Name: h.Name, Provider: h.Provider, State: h.State, Billing: h.Billing,
		Region: h.Region, Size: h.Size, Spot: h.Spot, Resource: h.Resource, Unsafe: h.Unsafe, Failure: known(h.Failure),
		SSH:    sshRow{User: "root", Host: h.Address, Port: f.Guests.Port(h)},
		Agents: agentNames(h), Tags: othersTags(h.Tags),
		SelfStop: h.SelfStop, NoStop: known(h.SelfStopWhy),
		Cost: newCostRow(h, cost, 2), Alarms: alarmsOf(f, h),
	}
	if !h.ShutdownAt.IsZero() {
		row.EndsAt = new(h.ShutdownAt.UTC())
	}
	if !h.CreatedAt.IsZero() {
		row.CreatedAt = new(h.CreatedAt.UTC())
	}
	if h.Idle != nil {
		row.Idle = &idleRow{known(h.Idle.Mode), h.Idle.TimeoutSeconds, h.Idle.SecondsLeft}
	}
	if h.State == agent.HostStopped {
		row.StoppedBy = new("unknown")
		if by := h.Tags[records.StoppedBy]; by == "user" {
			row.StoppedBy = &by
		}
	}
	return row
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// othersTags leaves out what mngr itself writes.
func othersTags(tags map[string]string) map[string]string {
	others := map[string]string{}
	for name, value := range tags {
		if lower := strings.ToLower(name); lower != records.ManagedBy && !strings.HasPrefix(lower, "mngr-") {
			others[name] = value
		}
	}
	return others
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
