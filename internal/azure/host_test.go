package azure

import (
	"strings"
	"testing"

	"mngr/internal/agent"
)

// Whoever may tag a machine may write anything there, and what names a host is shown on
// terminals and put into commands to be copied.
func TestHostileIdentity(t *testing.T) {
	good := machine("Succeeded", "")
	get := func(body string) agent.Host {
		t.Helper()
		s := newScript(t, with(empties(), map[string][]scripted{"GET " + testVM: {says(200, body)}}))
		h, err := s.provider().Get(t.Context(), testVM)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if h := get(good); h.Name != "my-agent" || h.Provider != "azure" || h.ID != testHost {
		t.Errorf("a good machine is %q %q %q", h.Name, h.Provider, h.ID)
	}
	const evil = `x\u001b[2J; rm -rf /`
	h := get(strings.NewReplacer(`"mngr-host-name":"mngr-my-agent"`, `"mngr-host-name":"mngr-`+evil+`"`, `"mngr-provider":"azure"`, `"mngr-provider":"`+evil+`"`, string(testHost), evil).Replace(good))
	if h.Name != testVMName || h.Provider != "azure" || h.ID != "" {
		t.Errorf("a forged machine is %q %q %q", h.Name, h.Provider, h.ID)
	}
}
