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
	Unsafe    = "mngr-unsafe" // "true": the host's container may break out of its boundary
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

// splitAgentTag splits "mngr-agent-<id>-<field>" at the last dash.
func splitAgentTag(name string) (id, field string, ok bool) {
	if len(name) < len(agentPrefix) || !strings.EqualFold(name[:len(agentPrefix)], agentPrefix) {
		return "", "", false
	}
	rest := name[len(agentPrefix):]
	i := strings.LastIndexByte(rest, '-')
	if i <= 0 || i == len(rest)-1 {
		return "", "", false
	}
	return rest[:i], rest[i+1:], true
}
