package rig

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Fault is trouble that a local Azure makes; docs/azlocal.md explains the keys.
type Fault struct {
	ID         string            `json:"id,omitempty"`
	On         string            `json:"on"`
	Resource   string            `json:"resource,omitempty"`
	Match      map[string]string `json:"match,omitempty"`
	Effect     string            `json:"effect"`
	Nth        int               `json:"nth,omitempty"`
	Times      int               `json:"times"` // 0: without end
	For        float64           `json:"for_seconds,omitempty"`
	Chance     float64           `json:"chance,omitempty"`
	Seed       uint64            `json:"seed,omitempty"`
	Parts      bool              `json:"parts,omitempty"`
	Status     int               `json:"status,omitempty"`
	Code       string            `json:"code,omitempty"`
	Message    string            `json:"message,omitempty"`
	RetryAfter int               `json:"retry_after_seconds,omitempty"`
	Delay      float64           `json:"delay_seconds,omitempty"`
	HTML       bool              `json:"html,omitempty"`
	After      int64             `json:"after_bytes,omitempty"`
	Now        bool              `json:"now,omitempty"`
}

// FaultCount is a fault and what it has met.
type FaultCount struct {
	ID   string `json:"id"`
	On   string `json:"on"`
	Seen int    `json:"seen"` // calls that matched
	Hits int    `json:"hits"`
}

// AddFault begins to make trouble, and returns the fault's id.
func (a *Azure) AddFault(ctx context.Context, f Fault) (id string, err error) {
	var added FaultCount
	err = a.Control(ctx, http.MethodPost, "/faults", f, &added)
	return added.ID, err
}

// Faults lists the faults with their counts.
func (a *Azure) Faults(ctx context.Context) ([]FaultCount, error) {
	var all struct {
		Faults []FaultCount `json:"faults"`
	}
	return all.Faults, a.Control(ctx, http.MethodGet, "/faults", nil, &all)
}

// Hits is how often a fault has hit.
func (a *Azure) Hits(ctx context.Context, id string) (int, error) {
	all, err := a.Faults(ctx)
	for _, f := range all {
		if f.ID == id {
			return f.Hits, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("there is no fault %s", id)
	}
	return 0, err
}

// AwaitHit returns true as soon as a fault has hit, and false when the process ends first.
func (a *Azure) AwaitHit(ctx context.Context, id string, p *Process) (bool, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		hits, err := a.Hits(ctx, id)
		if hits > 0 || err != nil {
			return hits > 0, err
		}
		select {
		case <-p.Done():
			hits, err := a.Hits(ctx, id)
			return hits > 0, err
		case <-ctx.Done():
			return false, ctx.Err()
		case <-tick.C:
		}
	}
}

// RemoveFault ends one fault.
func (a *Azure) RemoveFault(ctx context.Context, id string) error {
	return a.Control(ctx, http.MethodDelete, "/faults/"+id, nil, nil)
}

// ClearFaults ends all faults.
func (a *Azure) ClearFaults(ctx context.Context) error {
	return a.Control(ctx, http.MethodDelete, "/faults", nil, nil)
}
