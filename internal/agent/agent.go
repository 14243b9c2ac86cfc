package agent

import "time"

// Record is what must be known of an agent to list it while its host is down.
// It travels in the VM's tags.
type Record struct {
	ID     ID
	Name   string
	Type   string
	Labels map[string]string
}

// Host is a machine that runs agents, as the provider's API shows it.
type Host struct {
	ID        HostID
	Name      string
	Provider  string // the provider instance that owns it, by its tag
	Via       string // the provider instance that sees it; operations go through it
	State     HostState
	Billing   Billing
	Region    string
	Size      string // VM size, for example Standard_B2s
	Address   string // public IP address; "" when unknown
	CreatedAt time.Time
	Failure   string // why the host is FAILED or UNKNOWN; else ""
	Tags      map[string]string
	Version   string // the provider's mark of the machine as it was read; "" where it has none
	Agents    []Record
	Stopped   map[ID]bool // agents stopped alone while the host keeps running
	HostKeys  HostKeys
	Resource  string // the provider's own id of the machine
	Maker     string // who made it, "ann@laptop"; "" when nobody knows. Anybody may have written it
	MakerKey  string // public key of the machine from which it was made; "" when nobody knows
	Spot      bool   // may be evicted
	Unsafe    bool   // its container was started with what breaks the boundary to the machine
	Idle      *Idle  // as its guest says; nil when nobody could be asked

	Disks     []Disk    // the managed disks of its machine; nil: nobody knows
	Addresses *int      // public addresses that are billed for it; nil: nobody knows
	Run       Run       // for how long its machine was billed, by its tags
	ChangedAt time.Time // when Azure last changed the machine; zero: not known

	SelfStop    *bool     // Azure would let the machine deallocate itself; nil: nobody knows
	SelfStopWhy string    // why not
	ShutdownAt  time.Time // when the machine deallocates itself whatever it does; zero: never, or not known
}

// Gone tells a Spot host that only this machine remembers: Azure has nothing of it left.
func (h Host) Gone() bool { return h.State == HostEvicted && h.Billing == BillingNone }

// Begun says who made a host, as far as is known, and when: "by ann@laptop at 12:00:03 UTC".
func (h Host) Begun() string {
	who := h.Maker
	if who == "" {
		who = "somebody else"
	}
	if h.CreatedAt.IsZero() {
		return "by " + who
	}
	return "by " + who + " at " + h.CreatedAt.UTC().Format("15:04:05 UTC")
}

// Idle says when a host stops itself.
type Idle struct {
	Mode           string
	TimeoutSeconds int  // 0: never
	SecondsLeft    *int // until then; nil: never
}

// HostKeys are the public SSH host keys of a host, in authorized_keys form
// ("ssh-ed25519 AAAA…"); empty when not known yet.
type HostKeys struct {
	VM        string // sshd of the virtual machine, port 22
	Container string // mngrd in the container, the published port
}
