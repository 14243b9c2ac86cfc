package records

import "strings"

// Tag names. The first five are the original's and stay readable by it.
const (
	ManagedBy = "managed-by"
	Provider  = "mngr-provider"
	HostID    = "mngr-host-id"
	HostName  = "mngr-host-name"
	CreatedAt = "mngr-created-at"
	HostKeys  = "mngr-host-keys"
	StoppedBy = "mngr-stopped-by"
	// RunSeconds and StartedAt say for how long the machine has been billed for compute:
	// RunSeconds until StartedAt, and from StartedAt on by the clock.
	RunSeconds = "mngr-run-seconds"
	StartedAt  = "mngr-started-at"
	Unsafe     = "mngr-unsafe" // "true": the host's container may break out of its boundary
)

// ManagedByUs is the value of the tag ManagedBy on everything that is ours.
const ManagedByUs = "mngr"

const (
	hostNamePrefix = "mngr-"       // of the value of HostName, as the original writes it
	agentPrefix    = "mngr-agent-" // of the names of all tags of an agent
	recordField    = "record"
	stateField     = "state"
	stateStopped   = "stopped"

	maxTags  = 50
	maxValue = 256
)

// splitAgentTag splits "mngr-agent-<id>-<field>" at the last dash. Azure keeps the case in
// which a name was written and does not tell names apart by it: neither does this.
func splitAgentTag(name string) (id, field string, ok bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(name), agentPrefix)
	i := strings.LastIndexByte(rest, '-')
	if !ok || i <= 0 || i == len(rest)-1 {
		return "", "", false
	}
	return rest[:i], rest[i+1:], true
}
