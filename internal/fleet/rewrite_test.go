package fleet

import (
	"context"
	"slices"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// edited is a provider that remembers what was written to its one machine.
type edited struct {
	atAzure
	set    map[string]string
	remove []string
}

func (e *edited) EditTags(_ context.Context, _ agent.Host, set map[string]string, remove []string) error {
	e.set, e.remove = set, remove
	return nil
}

// TestRewriteOfRemovals removes tags where none is set, as the end of an agent among others
// does, and counts the host's run all the same.
func TestRewriteOfRemovals(t *testing.T) {
	h := host("a", agent.HostRunning)
	h.Via, h.Billing = "p", agent.BillingCompute
	h.Tags = map[string]string{
		records.HostID: string(h.ID), records.HostName: h.Name, records.HostKeys: "vm=AAAA container=AAAA",
		records.RunSeconds: "60.000", records.StartedAt: "2026-01-02T03:04:05.000000Z",
	}
	azure := &edited{atAzure: atAzure{now: h}}
	f := &Fleet{Now: time.Now, Instances: []Instance{{Machines: azure}}}
	_, err := f.rewrite(t.Context(), h, func(string) {}, func(agent.Host) (map[string]string, []string, error) {
		return nil, []string{"mngr-agent-x"}, nil
	})
	if err != nil || azure.set[records.RunSeconds] == "" || !slices.Equal(azure.remove, []string{"mngr-agent-x"}) {
		t.Fatalf("removed %q, set %q, %v", azure.remove, azure.set, err)
	}
}
