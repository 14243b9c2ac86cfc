package cli

import (
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/keep"
)

// Only the machine that knows what remains to be done is told that it can finish a host.
func TestOnlyWhoCanIsToldToFinish(t *testing.T) {
	h := agent.Host{
		ID: agent.NewHostID(), Name: "h", State: agent.HostStopped, Billing: agent.BillingStorage,
		HostKeys: agent.HostKeys{VM: "ssh-ed25519 AAAA"}, Agents: []agent.Record{{Name: "a"}},
	}
	pending := keep.Pending{Dir: t.TempDir()}
	f := &fleet.Fleet{Pending: pending, Now: time.Now}
	if all := alarmsOf(f, h); len(all) != 1 || all[0].remedy() != "mngr destroy @h" {
		t.Errorf("elsewhere: %+v", all)
	}
	if err := pending.Save(h.ID, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if all := alarmsOf(f, h); len(all) != 1 || !strings.HasPrefix(all[0].remedy(), "mngr start a@h # finishes it") {
		t.Errorf("here: %+v", all)
	}
}
