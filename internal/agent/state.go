package agent

// HostState says what is known of a host's machine.
type HostState string

// Host states. Only STOPPED and EVICTED cost no compute for certain.
const (
	HostCreating        HostState = "CREATING"
	HostStarting        HostState = "STARTING"
	HostRunning         HostState = "RUNNING"
	HostStopping        HostState = "STOPPING"
	HostStopped         HostState = "STOPPED"         // deallocated: no compute is billed
	HostStoppedBilling  HostState = "STOPPED_BILLING" // off but still allocated: compute is billed
	HostFailed          HostState = "FAILED"
	HostEvicted         HostState = "EVICTED"
	HostDeleting        HostState = "DELETING"
	HostUnreachable     HostState = "UNREACHABLE" // the machine runs, SSH is silent
	HostUnknown         HostState = "UNKNOWN"
	HostUnauthenticated HostState = "UNAUTHENTICATED"
)

// Billing says what a host costs right now.
type Billing string

// Billing classes. A deallocated VM still pays for its disk and its address.
const (
	BillingCompute Billing = "compute"
	BillingStorage Billing = "storage"
	BillingNone    Billing = "none"
	BillingUnknown Billing = "unknown"
)

// State says what an agent's process does.
type State string

// Agent states.
const (
	Running State = "RUNNING" // its process lives
	Waiting State = "WAITING" // its process lives and waits for the user
	Done    State = "DONE"    // its process has ended by itself
	Stopped State = "STOPPED" // it was stopped, or its host is down
	Unknown State = "UNKNOWN" // nobody could be asked
)
