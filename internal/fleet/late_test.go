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
		wait  func(context.Context, *Fleet, Instance, *agent.Host) error
		want  string
	}{
		"made": {agent.HostCreating, func(ctx context.Context, f *Fleet, i Instance, h *agent.Host) error {
			return f.made(ctx, i, h, func(string) {})
		}, "waiting for Azure to finish making the machine of host a: not done within 30m"},
		"settled": {agent.HostStarting, func(ctx context.Context, f *Fleet, i Instance, h *agent.Host) error {
			return f.settled(ctx, i, h)
		}, `host "a" is still STARTING after 30m`},
		"deallocated": {agent.HostStopping, func(ctx context.Context, f *Fleet, i Instance, h *agent.Host) error {
			return f.deallocated(ctx, i, h)
		}, `host "a" is not deallocated after 30m, and may bill`},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := host("a", c.state)
			began := time.Now()
			err := c.wait(t.Context(), &Fleet{Now: time.Now}, Instance{Machines: &atAzure{now: h}}, &h)
			if agent.KindOf(err) != agent.KindTimeout || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if lasted := time.Since(began); lasted != time.Duration(agent.DeadlineOperation) {
				t.Errorf("%s: after %s", name, lasted)
			}
		})
	}
}
