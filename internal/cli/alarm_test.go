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

// A right that may be on its way is no reason to end the agents' work; a missing one is.
func TestOnlyAMissingRightEndsTheHost(t *testing.T) {
	for why, want := range map[string]string{
		"the role mngr-self-deallocate is missing or not in effect yet (HTTP 403)": "mngr list # in some minutes",
		"the machine has no identity": "mngr stop @h",
	} {
		h := agent.Host{Name: "h", State: agent.HostRunning, Billing: agent.BillingCompute, SelfStop: new(false), SelfStopWhy: why}
		all := alarmsOf(&fleet.Fleet{Now: time.Now}, h)
		if len(all) != 1 || all[0].Command != "mngr stop @h" || !strings.HasPrefix(all[0].remedy(), want) {
			t.Errorf("%s: %+v", why, all)
		}
	}
}
