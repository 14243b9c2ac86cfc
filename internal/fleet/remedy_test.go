package fleet

import (
	"errors"
	"fmt"
	"testing"

	"mngr/internal/agent"
)

// TestOrElse keeps a hint that is there, however deep, and what an error is.
func TestOrElse(t *testing.T) {
	known := fmt.Errorf("around: %w", agent.Errorf(agent.KindQuota, "full").WithHint("ask for more"))
	if got := orElse(known, "else"); agent.HintOf(got) != "ask for more" {
		t.Errorf("hint %q", agent.HintOf(got))
	}
	broken := errors.Join(fmt.Errorf("around: %w", agent.Errorf(agent.KindUnreachable, "broken")))
	got := orElse(broken, "mngr start %s", "a")
	if agent.HintOf(got) != "mngr start a" || agent.KindOf(got) != agent.KindUnreachable || got.Error() != "around: broken" {
		t.Errorf("%v: kind %s, hint %q", got, agent.KindOf(got), agent.HintOf(got))
	}
	if orElse(nil, "x") != nil {
		t.Error("no error has become one")
	}
}
