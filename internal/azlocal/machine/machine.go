package machine

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
)

// Spec is a virtual machine as ARM accepted it.
type Spec struct {
	Key           string // unique and stable: 12 hexadecimal digits derived from the VM's id and vmId
	Name          string // resource name
	ComputerName  string
	VMID          string // properties.vmId, a GUID; cloud-init's instance id
	AdminUsername string
	AdminKeys     []string // authorized_keys lines for AdminUsername
	CustomData    []byte   // decoded; nil when none
	Image         Image
	Network       string // id of the virtual network; machines of the same one reach each other
	PrivateIP     netip.Addr
	Subnet        netip.Prefix
	PublicIP      netip.Addr // a loopback address; the zero Addr when none
	MAC           string     // 00-0D-3A-xx-xx-xx
	Cores         int
	MemoryMB      int
	DiskGB        int
}

// Image is a marketplace image reference.
type Image struct{ Publisher, Offer, SKU, Version string }

// Rule is one security rule in the order of evaluation (lowest priority number first).
// The driver applies rules to new TCP and UDP connections that arrive from outside the
// machine, at its public address and from neighbours.
type Rule struct {
	Priority int
	Allow    bool
	Protocol string         // "Tcp", "Udp", "Icmp" or "*"
	Sources  []netip.Prefix // empty: any
	Ports    []PortRange    // destination ports; empty: any
}

// PortRange includes both ends.
type PortRange struct{ First, Last uint16 }

// State is what a driver sees of a machine.
type State string

// Machine states.
const (
	Absent  State = "absent"
	Running State = "running"
	Off     State = "off"
)

// Services are what the surrounding Azure offers inside each machine's network: the
// driver makes the listeners inside it and hands each one over. Each call returns at
// once; the server serves until the listener is closed.
type Services interface {
	// ServeIMDS serves the metadata service of the machine on 169.254.169.254:80.
	ServeIMDS(key string, l net.Listener)
	// ServeARM serves ARM and Entra under the host's own loopback URL.
	ServeARM(l net.Listener)
	// ARMAddress is the loopback address and port of ServeARM on the host.
	ARMAddress() netip.AddrPort
	// PoweredOff reports that the guest switched itself off (not through the driver).
	PoweredOff(key string)
	// Connected tells that a machine has taken a connection at a port of its public
	// address. What passes asks the line first; cut ends the connection at once.
	Connected(key string, port uint16, cut func()) Line
}

// Line is the way of a connection through a public address.
type Line interface {
	// Pass tells how many of the next n bytes may go on now. It waits while none may; an
	// error ends the connection. With 0 it tells that the line is up.
	Pass(ctx context.Context, n int) (int, error)
	// Close tells that the connection has ended, and wakes who waits. It may be repeated.
	Close()
}

// Open is a line on which nothing is kept back.
type Open struct{}

// Pass lets everything through.
func (Open) Pass(_ context.Context, n int) (int, error) { return n, nil }

// Close has nothing to wake.
func (Open) Close() {}

// Result is how a command inside a machine ended.
type Result struct {
	Code           int
	Stdout, Stderr []byte
}

// ErrNoGuest says that a machine cannot run commands: it is off, or its driver has no guests.
var ErrNoGuest = errors.New("the machine runs no guest")

// ErrNotReported says that a guest runs and was waited for in vain.
var ErrNotReported = errors.New("the guest has not reported that it is provisioned")

// Driver makes machines. Methods are idempotent, safe for concurrent use by different
// keys, and return when the machine has reached the state. Errors are for the activity
// log; ARM turns them into a failed operation.
type Driver interface {
	// Name is "none", "docker" or "qemu".
	Name() string
	// Prepare makes what all machines share (guest image, networks); progress tells the phase.
	Prepare(ctx context.Context, progress func(string)) error
	// Create makes disk, network and machine and boots it. It returns when the guest
	// has reported that it is provisioned (not when customData has finished), with
	// ErrNotReported when it never does.
	Create(ctx context.Context, spec Spec, rules []Rule) error
	// Start boots a machine again on its old disk, with the same addresses.
	Start(ctx context.Context, spec Spec, rules []Rule) error
	// Stop ends a machine: cleanly within its grace, then by force. The disk stays.
	Stop(ctx context.Context, key string, force bool) error
	// Restart reboots it.
	Restart(ctx context.Context, key string) error
	// Kill takes the power away at once, with no word to the guest. The end is reported by
	// Services.PoweredOff, as when the guest had switched itself off.
	Kill(ctx context.Context, key string) error
	// Exec runs a command as root inside a running machine, past its network and sshd. A
	// code other than 0 is no error; ErrNoGuest is one. At the end of ctx the command is
	// ended too. Of each stream MaxOutput bytes are kept.
	Exec(ctx context.Context, key string, argv []string, stdin io.Reader) (Result, error)
	// Delete removes machine, network and disk. Absent is fine.
	Delete(ctx context.Context, key string) error
	// SetRules replaces the security rules of a machine that exists.
	SetRules(ctx context.Context, key string, rules []Rule) error
	// State observes the machine.
	State(ctx context.Context, key string) (State, error)
	// Recover adopts, after azlocal was killed, the machines that should exist and
	// removes everything of this instance that should not.
	Recover(ctx context.Context, known []Spec, rules map[string][]Rule) error
	// Close stops forwarding and listeners; machines keep running unless all is true,
	// which removes every trace of this instance from the computer.
	Close(ctx context.Context, all bool) error
}
