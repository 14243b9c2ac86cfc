package fleet

import (
	"errors"
	"strings"
	"testing"

	"mngr/internal/agent"
)

// A start that fails after its machine was up must not hide that this one bills.
func TestFailedStartSaysWhatBills(t *testing.T) {
	h := agent.Host{Name: "h"}
	if err := runsOn(h, nil); err != nil {
		t.Errorf("no failure became %v", err)
	}
	silent := agent.Errorf(agent.KindTimeout, "no answer")
	for _, c := range []struct {
		err  error
		hint string
	}{
		{silent, "mngr stop @h"},
		{silent.WithHint("look there"), "look there"},
	} {
		err := runsOn(h, c.err)
		if !strings.Contains(err.Error(), `no answer; host "h" runs on, and bills`) || agent.HintOf(err) != c.hint {
			t.Errorf("got %q, hint %q", err, agent.HintOf(err))
		}
		if agent.KindOf(err) != agent.KindTimeout || !errors.Is(err, c.err) {
			t.Errorf("%v lost its kind or its cause", err)
		}
	}
}
