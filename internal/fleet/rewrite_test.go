package fleet

import (
	"context"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// writes is a provider that keeps the tags of its one machine.
type writes struct {
	atAzure
	set    map[string]string
	remove []string
}

func (w *writes) EditTags(_ context.Context, _ agent.Host, set map[string]string, remove []string) error {
	w.set, w.remove = set, remove
	return nil
}

// An agent that goes alone takes its tags with it; the account of its host is kept.
func TestRewriteThatOnlyRemoves(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h := host("a", agent.HostRunning)
	h.Via, h.Billing = "p", agent.BillingCompute
	h.Tags = map[string]string{"mngr-host-keys": "vm=AAAA container=AAAA", "mngr-agent-x-record": "1"}
	h.Tags[records.RunSeconds], h.Tags[records.StartedAt] = "5.000", began.Format(time.RFC3339)
	azure := &writes{atAzure: atAzure{now: h}}
	f := &Fleet{Now: func() time.Time { return began.Add(time.Minute) }, Instances: []Instance{{Machines: azure}}}
	_, err := f.rewrite(t.Context(), h, func(string) {}, func(agent.Host) (map[string]string, []string, error) {
		return nil, []string{"mngr-agent-x-record"}, nil
	})
	if err != nil || len(azure.remove) != 1 || azure.set[records.RunSeconds] != "65.000" {
		t.Errorf("%v: wrote %v, removed %v", err, azure.set, azure.remove)
	}
}
