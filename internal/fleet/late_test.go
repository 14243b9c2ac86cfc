package fleet

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
)

// Each wait for Azure that never ends passes its deadline, and says which one it was.
func TestEndlessWaitsSayTheirPhase(t *testing.T) {
	for name, c := range map[string]struct {
		state agent.HostState
		limit agent.Deadline
		wait  func(context.Context, *Fleet, Instance, *agent.Host) error
		want  string
	}{
		"made": {agent.HostCreating, agent.DeadlineOperation, func(ctx context.Context, f *Fleet, i Instance, h *agent.Host) error {
			return f.made(ctx, i, h, func(string) {})
		}, "waiting for Azure to finish making the machine of host a: not done within 30m"},
		"settled": {agent.HostStarting, agent.DeadlineOperation, func(ctx context.Context, f *Fleet, i Instance, h *agent.Host) error {
			return f.settled(ctx, i, h)
		}, `host "a" is still STARTING after 30m`},
		"without an address": {agent.HostRunning, agent.DeadlineAddress, func(ctx context.Context, f *Fleet, i Instance, h *agent.Host) error {
			return f.settled(ctx, i, h)
		}, `host "a" runs, and bills, but has had no public address for 5m`},
		"deallocated": {agent.HostStopping, agent.DeadlineOperation, func(ctx context.Context, f *Fleet, i Instance, h *agent.Host) error {
			return f.deallocated(ctx, i, h)
		}, `host "a" is not deallocated after 30m, and may bill`},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := host("a", c.state)
			h.Tags = map[string]string{"mngr-host-keys": "vm=AAAA container=AAAA"}
			began := time.Now()
			err := c.wait(t.Context(), &Fleet{Now: time.Now}, Instance{Machines: &atAzure{now: h}}, &h)
			if agent.KindOf(err) != agent.KindTimeout || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if lasted := time.Since(began); lasted != time.Duration(c.limit) {
				t.Errorf("%s: after %s", name, lasted)
			}
		})
	}
}
