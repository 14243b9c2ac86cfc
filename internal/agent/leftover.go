package agent

import "time"

// LeftoverKind says what outlived its host.
type LeftoverKind string

// Kinds of leftovers, in the order in which they can be removed.
const (
	LeftoverMachine   LeftoverKind = "machine" // of a host that was never finished
	LeftoverRole      LeftoverKind = "role_assignment"
	LeftoverInterface LeftoverKind = "network_interface"
	LeftoverAddress   LeftoverKind = "public_ip"
	LeftoverDisk      LeftoverKind = "disk"
	LeftoverLocal     LeftoverKind = "local_files" // keys, pins and notes on this machine
)

// Leftover is something of ours that no host needs.
type Leftover struct {
	Kind     LeftoverKind
	Name     string
	Resource string            // the provider's own id; a path for local files
	Why      string            // one line: how it is known to be left over
	Since    time.Time         // when it was made; zero when nobody knows
	Kept     string            // why it must not be removed now; "" when it may be
	Tags     map[string]string // as stored
	Monthly  USD               // approximate, a month
}
