package cli

import (
	"time"

	"mngr/internal/agent"
)

// lifeRow is the part of a host's row that says whether and when the host ends by itself.
type lifeRow struct {
	SelfStop       *bool      `json:"self_stop"`        // it may deallocate itself; null: not known
	SelfStopReason *string    `json:"self_stop_reason"` // why not
	ShutdownAt     *time.Time `json:"auto_shutdown_at"` // null: never, or not known
}

func newLifeRow(h agent.Host) lifeRow {
	row := lifeRow{SelfStop: h.SelfStop}
	if h.SelfStopWhy != "" {
		row.SelfStopReason = &h.SelfStopWhy
	}
	if !h.ShutdownAt.IsZero() {
		row.ShutdownAt = new(h.ShutdownAt.UTC())
	}
	return row
}
