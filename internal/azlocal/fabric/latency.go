package fabric

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Names of the durations of operations. What a machine's driver needs comes on top.
const (
	VMCreate        = "latency.create"
	VMStart         = "latency.start"
	VMRestart       = "latency.restart"
	VMRedeploy      = "latency.redeploy"
	VMReapply       = "latency.reapply"
	VMPowerOff      = "latency.power-off"
	VMDeallocate    = "latency.deallocate"
	VMDelete        = "latency.delete"
	VMUpdate        = "latency.update"
	VMCascade       = "latency.cascade"
	RunCommand      = "latency.run-command"
	DiskWrite       = "latency.disk"
	DiskDelete      = "latency.disk-delete"
	NetworkWrite    = "latency.network"
	NetworkDelete   = "latency.network-delete"
	AddressWrite    = "latency.public-ip"
	AddressDelete   = "latency.public-ip-delete"
	InterfaceWrite  = "latency.interface"
	InterfaceDelete = "latency.interface-delete"
	GroupDelete     = "latency.group-delete"
)

// Names of the other durations.
const (
	RolePropagation = "role-propagation"
	Registration    = "registration"
	EvictionNotice  = "eviction-notice"
	NICReservation  = "nic-reservation"
	RetryAfter      = "retry-after"
	ComputeThrottle = "compute-retry-after"
)

// Profile says how slow Azure is.
type Profile string

// The profiles. Instant is for tests and for work on this machine; Realistic has the
// medians of what was recorded, documented and reported.
const (
	Instant   Profile = "instant"
	Realistic Profile = "realistic"
)

// Profiles lists them, the default first.
func Profiles() []string { return []string{string(Instant), string(Realistic)} }

// ParseProfile finds a profile by name; "" is the default.
func ParseProfile(name string) (Profile, error) {
	if name == "" {
		return Instant, nil
	}
	if !slices.Contains(Profiles(), name) {
		return "", fmt.Errorf("there is no profile %q; there are: %s", name, strings.Join(Profiles(), ", "))
	}
	return Profile(name), nil
}

// Duration is something that Azure takes its time for.
type Duration struct {
	Name               string // as `set` calls it
	Meaning            string
	Instant, Realistic time.Duration
	Source             string // of the realistic value
}

// In returns the duration of a profile.
func (d Duration) In(p Profile) time.Duration {
	if p == Realistic {
		return d.Realistic
	}
	return d.Instant
}

// Durations is every time that passes in Azure and not in a machine.
func Durations() []Duration {
	const ms, s, min = time.Millisecond, time.Second, time.Minute
	return []Duration{
		{VMCreate, "VM PUT until Succeeded", 50 * ms, 90 * s, "R: 93 s from start to end of the operation; reports: 60–120 s"},
		{VMStart, "VM start", 50 * ms, 40 * s, "U: 20–60 s, the middle"},
		{VMRestart, "VM restart", 50 * ms, 30 * s, "U: between powerOff and start"},
		{VMRedeploy, "VM redeploy", 50 * ms, 100 * s, "U: a deallocation and a start"},
		{VMReapply, "VM reapply", 50 * ms, 30 * s, "U: as restart"},
		{VMPowerOff, "VM powerOff", 50 * ms, 12 * s, "R: 3 s with skipShutdown, 12 s without; reports up to 46 s"},
		{VMDeallocate, "VM deallocate", 50 * ms, 60 * s, "U: 30–90 s, the middle"},
		{VMDelete, "VM DELETE", 50 * ms, 35 * s, "R: 35 s; reports: 23 s"},
		{VMUpdate, "VM PATCH, PUT on a VM that exists", 20 * ms, s, "R: Succeeded a second later"},
		{VMCascade, "from the end of a VM until its NIC and disk go", 20 * ms, 10 * s, "D: seconds to minutes"},
		{RunCommand, "VM runCommand, beside the script", 50 * ms, 20 * s, "D: at least about 20 s"},
		{DiskWrite, "disk PUT and PATCH", 30 * ms, 2 * s, "U: the Retry-After of the PUT"},
		{DiskDelete, "disk DELETE", 30 * ms, 5 * s, "U"},
		{NetworkWrite, "virtual network, subnet, security group, rule: PUT", 30 * ms, 3 * s, "R: the Retry-After of the PUT, after which it was done"},
		{NetworkDelete, "the same: DELETE", 30 * ms, 11 * s, "I: 11 s in a log of terraform; R: Retry-After 10"},
		{AddressWrite, "public IP PUT", 30 * ms, s, "R: the Retry-After of the PUT, after which it was done"},
		{AddressDelete, "public IP DELETE", 30 * ms, 10 * s, "R: Retry-After 10"},
		{InterfaceWrite, "NIC PUT", 20 * ms, s, "R: Succeeded in the first answer"},
		{InterfaceDelete, "NIC DELETE", 20 * ms, 13 * s, "I: 13 s in a log of terraform; R: Retry-After 4"},
		{GroupDelete, "group DELETE, beside what is in it", 0, 30 * s, "U: 1–5 min with a VM inside"},
		{RolePropagation, "until a new role assignment counts", 0, 30 * s, "D: up to 10 min, very variable"},
		{Registration, "from register until a provider is Registered", 30 * ms, 2 * min, "D: 10 s to minutes; reports: 5–15 min in a fresh subscription"},
		{EvictionNotice, "from the Preempt event until the machine goes", 5 * s, 30 * s, "D: 30 s, best effort"},
		{NICReservation, "a NIC's reservation after a refused create", 2 * s, 180 * s, "I: the error's text"},
		{RetryAfter, "when clients are told to ask again; 0s: Azure's own", 100 * ms, 0, "R: by operation, 1–50 s; none: SDKs wait 30 s"},
		{ComputeThrottle, "what Compute's own 429 tells at least to wait", 20 * min, 20 * min, "D: 1200 s in the example; I: 120 to 1235 s"},
	}
}
