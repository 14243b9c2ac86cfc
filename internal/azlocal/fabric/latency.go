package fabric

import "time"

// Latency is how long operations take and how often clients are told to ask. What a
// machine's driver needs comes on top.
type Latency struct {
	Network   time.Duration // vnet, subnet, NSG, public IP
	Interface time.Duration // network interface
	Create    time.Duration // virtual machine
	Power     time.Duration // start, deallocate, powerOff, restart
	Delete    time.Duration // virtual machine
	Cascade   time.Duration // after a machine is gone, until its interface goes
	Tags      time.Duration // a tag PATCH shows "Updating"

	// The defaults of settings.
	Role        time.Duration // until a new assignment counts
	Provider    time.Duration // until a provider is registered
	Notice      time.Duration // from a Preempt event until the machine goes
	Reservation time.Duration // of an interface after a refused create

	// RetryAfter replaces Azure's number of seconds; 0 keeps Azure's own.
	RetryAfter time.Duration
}

// Fast is for tests and for work on this machine: SDK clients poll every 100 ms.
func Fast() Latency {
	return Latency{
		Network: 30 * time.Millisecond, Interface: 20 * time.Millisecond,
		Create: 50 * time.Millisecond, Power: 50 * time.Millisecond, Delete: 50 * time.Millisecond,
		Cascade: 20 * time.Millisecond, Tags: 20 * time.Millisecond, Provider: 30 * time.Millisecond,
		Notice: 5 * time.Second, Reservation: 2 * time.Second,
		RetryAfter: 100 * time.Millisecond,
	}
}

// Realistic follows the recordings: minutes for a machine.
func Realistic() Latency {
	return Latency{
		Network: 3 * time.Second, Interface: time.Second,
		Create: 60 * time.Second, Power: 30 * time.Second, Delete: 25 * time.Second,
		Cascade: 10 * time.Second, Tags: time.Second, Role: 30 * time.Second, Provider: 15 * time.Second,
		Notice: 30 * time.Second, Reservation: 180 * time.Second,
	}
}
