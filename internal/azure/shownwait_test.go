package azure

import (
	"context"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
)

// A wait that the SDK makes by itself is shown, whether writes are noted or not.
func TestTheSDKsOwnWaitIsShown(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"without a journal": func(*Settings) {},
		"with a journal":    new(ledger).into,
	} {
		busy := refuses(429, "TooManyRequests", "slow down")
		busy.header = map[string]string{"Retry-After": "30"}
		s := newScript(t, map[string][]scripted{"GET " + testVM: {busy}})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		var told string
		_, err := s.provider(change).Get(agent.WithProgress(ctx, func(phase string) {
			told = phase
			cancel()
		}), testVM)
		cancel()
		if err == nil || !strings.Contains(told, "throttled") {
			t.Errorf("%s: told %q, %v", name, told, err)
		}
	}
}
