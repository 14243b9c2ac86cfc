package fleet

import (
	"errors"
	"fmt"
	"net"
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

// A reason stays the same from attempt to attempt, whatever port of this machine's the
// attempt has had: it is shown once.
func TestReasonHasNoPort(t *testing.T) {
	attempt := func(port int, cause error) error {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
		to := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22}
		return fmt.Errorf("ssh to %s: ssh: handshake failed: %w", to, &net.OpError{Op: "read", Net: "tcp", Source: from, Addr: to, Err: cause})
	}
	for cause, want := range map[error]string{
		syscall.ECONNRESET:   "cut: the machine boots, or something in between cuts connections",
		syscall.EHOSTUNREACH: "read: no route to host",
	} {
		for _, port := range []int{51432, 51444} {
			if got := reason(attempt(port, cause)); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}
