package fleet

import (
	"context"
	"io"

	"mngr/internal/agent"
)

// Place is one of the two SSH servers of a host.
type Place int

// The places of a host.
const (
	VM        Place = iota // sshd of the virtual machine, port 22
	Container              // mngrd in the container, the published port
)

// Guests reaches hosts over SSH with pinned host keys and this machine's client key.
type Guests interface {
	// EnsureKey returns the public half of this machine's key for a provider instance,
	// made on first use.
	EnsureKey(provider string) (authorizedKey string, err error)
	// NewHostKey makes a host key pair for a new virtual machine.
	NewHostKey() (privatePEM []byte, authorizedKey string, err error)
	// Trust pins the published keys of a host; a key that differs from its pin is refused.
	Trust(h agent.Host) (agent.HostKeys, error)
	// Dial makes one attempt. Errors: ErrNoAccess; agent.KindRefused for another host
	// key; agent.KindUnreachable for silence.
	Dial(ctx context.Context, h agent.Host, p Place) (Guest, error)
	// DialRetry repeats Dial until it works, is refused, or ctx ends. missed is told why an
	// attempt did not work.
	DialRetry(ctx context.Context, h agent.Host, p Place, missed func(error)) (Guest, error)
	// Probe verifies without a client key that the expected host key is served.
	Probe(ctx context.Context, h agent.Host, p Place) error
	// GitCommand is a GIT_SSH_COMMAND that reaches the host's container.
	GitCommand(h agent.Host) (string, error)
	// Attach runs line on a terminal of the user's with the system's ssh.
	Attach(ctx context.Context, h agent.Host, p Place, env map[string]string, line string) (exit int, err error)
	// Port is the published port of the host's container.
	Port(h agent.Host) int
	// Forget removes what this machine keeps of a host.
	Forget(id agent.HostID) error
	// Known lists the hosts of which this machine keeps something.
	Known() ([]KnownHost, error)
}

// KnownHost is a host of which this machine keeps keys.
type KnownHost struct {
	ID       agent.HostID
	Path     string // where they lie
	Resource string // the provider's id of its machine; "" when nobody noted it
}

// Guest is an open connection to one place of a host.
type Guest interface {
	// Run runs one shell line; the exit code counts only when err is nil.
	Run(ctx context.Context, c Command) (exit int, err error)
	Close() error
}

// Command is one shell line for a Guest.
type Command struct {
	Line   string
	Env    map[string]string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}
