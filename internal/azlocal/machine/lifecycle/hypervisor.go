package lifecycle

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/netns"
)

// Status is what a hypervisor sees of one machine.
type Status struct {
	Exists    bool // it has a disk
	Booted    bool // it has run at least once
	Running   bool
	Rebooting bool // it has ended only to be booted again
}

// Hypervisor makes and runs what a machine is made of: a container or a virtual machine,
// and the network namespace that is its place on the fabric. It keeps no record of its own,
// and everything of an instance can be found again by its names after a crash. Keys are
// machines' or networks'. Removing what is absent is fine everywhere.
type Hypervisor interface {
	Name() string
	// About tells how machines run, where that is not the same everywhere. It is known once
	// an image has been made.
	About() string
	// Image makes an image unless it is kept already, and returns its reference.
	Image(ctx context.Context, kind guestimage.Kind, progress func(string)) (string, error)
	// Registry serves the container images that machines' Docker engines may want.
	Registry(ctx context.Context) (http.Handler, error)
	// Open makes what all machines share. It is called before anything else is made.
	Open(ctx context.Context) error

	// Look observes a machine.
	Look(ctx context.Context, key string) (Status, error)
	// Make makes a machine from an image in place of whatever has its key, switched off.
	Make(ctx context.Context, spec machine.Spec, image string) error
	// Namespace opens the machine's network namespace. A renewed one has no past, and nothing
	// in it but its loopback.
	Namespace(ctx context.Context, spec machine.Spec, renew bool) (*netns.Namespace, error)
	// CableEnd configures the machine's end of its cable, as a batch for ip(8).
	CableEnd(port fabric.Port) string
	// OwnLoopback tells that the machine's loopback is not its namespace's: the guest itself
	// leads the addresses given to Boot to the same ports of the wire server.
	OwnLoopback() bool
	// Boot starts a machine whose network is complete.
	Boot(ctx context.Context, spec machine.Spec, loopback []netip.AddrPort) error
	// Halt shuts a machine down, and switches it off if that takes longer than grace. It
	// returns when the machine has ended.
	Halt(ctx context.Context, key string, grace time.Duration) error
	// Kill takes the power away.
	Kill(ctx context.Context, key string) error
	// Exec runs a command in a machine that runs.
	Exec(ctx context.Context, key string, argv []string, stdin io.Reader) (machine.Result, error)
	// Remove removes a machine with its disk and its namespace.
	Remove(ctx context.Context, key string) error
	// Watch calls ended, on goroutines of its own, whenever a machine may have ended. It
	// returns after ctx has, and after the last call.
	Watch(ctx context.Context, ended func(key string))

	// Router opens the namespace of a network's router, and makes it if need be: there is an
	// Uplink in it and nothing else.
	Router(ctx context.Context, key string) (*netns.Namespace, error)
	// Outside is the prefix that uplinks are in, which machines must not reach.
	Outside(ctx context.Context) (netip.Prefix, error)
	// RemoveRouter removes a network's router.
	RemoveRouter(ctx context.Context, key string) error

	// RemoveOthers removes what belongs to none of the keys.
	RemoveOthers(ctx context.Context, keep map[string]bool) error
	// RemoveAll removes everything of the instance but images, shared things too.
	RemoveAll(ctx context.Context) error
}
