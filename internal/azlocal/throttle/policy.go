package throttle

import "time"

// Prefix begins the names of the settings that size buckets.
const Prefix = "throttle."

// Names of limits. Those of Compute are its own; PerVM at the end is the same for one
// machine.
const (
	ARMReads      = "arm-reads"
	ARMWrites     = "arm-writes"
	ARMDeletes    = "arm-deletes"
	PutVM         = "PutVM"
	UpdateVM      = "UpdateVM"
	DeleteVM      = "DeleteVM"
	LowCostGet    = "LowCostGet"
	HighCostGet   = "HighCostGet"
	GetOperation  = "GetOperation"
	PerVM         = ".vm"
	NetworkReads  = "network-reads"
	NetworkWrites = "network-writes"
	IMDS          = "imds"
	IMDSIdentity  = "imds-identity"
)

// Policy is a limit with its name.
type Policy struct {
	Name    string
	Limit   Limit
	Meaning string
	Source  string
}

// Policies lists every limit that can be set.
func Policies() []Policy {
	const (
		s, min  = time.Second, time.Minute
		arm     = "D: request-limits-and-throttling, since 2024; R: the headers"
		compute = "D: compute-throttling-limits; R: the headers of 2025"
	)
	of := func(name string, size, refill int, per time.Duration, meaning, source string) Policy {
		return Policy{name, Limit{size, refill, per}, meaning, source}
	}
	return []Policy{
		of(ARMReads, 250, 25, s, "GET and HEAD, by principal and subscription (15 times as many by subscription)", arm),
		of(ARMWrites, 200, 10, s, "PUT, PATCH and POST, the same", arm),
		of(ARMDeletes, 200, 10, s, "DELETE, the same", arm),
		of(PutVM, 1500, 500, min, "VM PUT and PATCH, by subscription and region", compute+"; R: PATCH"),
		of(PutVM+PerVM, 12, 4, min, "the same for one VM", compute),
		of(UpdateVM, 1500, 500, min, "start, restart, powerOff, runCommand …, by subscription and region", compute),
		of(UpdateVM+PerVM, 12, 4, min, "the same for one VM", compute),
		of(DeleteVM, 1500, 500, min, "VM DELETE, deallocate, simulateEviction, by subscription and region", compute),
		of(DeleteVM+PerVM, 12, 4, min, "the same for one VM", compute),
		of(LowCostGet, 24000, 8000, min, "VM GET, instanceView, by subscription and region", compute),
		of(LowCostGet+PerVM, 36, 12, min, "the same for one VM", compute),
		of(HighCostGet, 900, 300, min, "lists of VMs, by subscription and region", compute),
		of(GetOperation, 15000, 5000, min, "polls of Compute's operations, by subscription and region", compute),
		of(GetOperation+PerVM, 45, 15, min, "the same for one VM", compute),
		of(NetworkReads, 10000, 10000, 5*min, "GETs of Microsoft.Network, by subscription", "D: request-limits-and-throttling"),
		of(NetworkWrites, 1000, 1000, 5*min, "its other requests, by subscription", "D: request-limits-and-throttling"),
		of(IMDS, 5, 5, s, "requests of a machine to its metadata service", "D: instance-metadata-service"),
		of(IMDSIdentity, 20, 20, s, "those for its identity, of which 5 may run at a time", "D: instance-metadata-service"),
	}
}

// GlobalShare is how many times a principal's limit a whole subscription has.
const GlobalShare = 15

// Global is the limit of a whole subscription where l is that of a principal.
func Global(l Limit) Limit { return l.times(GlobalShare) }

// Find returns a limit by name.
func Find(name string) (Policy, bool) {
	for _, p := range Policies() {
		if p.Name == name {
			return p, true
		}
	}
	return Policy{}, false
}

// Old are the limits by which Compute counted until 2024, recorded in 2022. Their numbers
// are shown to clients of old api-versions; nothing is refused for them.
func Old(policy string) (threeMinutes, thirtyMinutes Limit) {
	of := func(three, thirty int) (a, b Limit) {
		return Limit{three, three, 3 * time.Minute}, Limit{thirty, thirty, 30 * time.Minute}
	}
	switch policy {
	case LowCostGet:
		return of(4000, 32000)
	case HighCostGet:
		return of(140, 700)
	case GetOperation:
		return of(15000, 30000)
	}
	return of(240, 1200)
}
