package fleet

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"mngr/internal/agent"
)

// A machine that refuses is not behind a closed network, and other errors have their own
// remedies.
func TestShutOut(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"silence":  {&agent.Error{Kind: agent.KindTimeout, Err: errors.New("i/o timeout")}, "mngr azure prepare --provider azure-west --allowed-ssh-cidr me --dry-run"},
		"refusal":  {&agent.Error{Kind: agent.KindTimeout, Err: fmt.Errorf("dial: %w", syscall.ECONNREFUSED)}, ""},
		"denied":   {agent.Errorf(agent.KindDenied, "wrong key").WithHint("look"), "look"},
		"not ours": {errors.New("other"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := agent.HintOf(shutOut(c.err, "azure-west"))
			if (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
				t.Errorf("hint %q, want %q", got, c.want)
			}
		})
	}
}
