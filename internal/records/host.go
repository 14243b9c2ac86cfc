package records

import (
	"maps"
	"slices"
	"strings"
	"time"

	"mngr/internal/agent"
)

// NewHostTags returns the tags that a new host's virtual machine carries from its first
// request on, its first agents' records included.
func NewHostTags(h agent.Host) (map[string]string, error) {
	tags := map[string]string{
		ManagedBy: ManagedByUs,
		Provider:  h.Provider,
		HostID:    string(h.ID),
		HostName:  HostNameValue(h.Name),
		CreatedAt: h.CreatedAt.UTC().Format("2006-01-02T15:04:05.000000-07:00"),
	}
	if h.Unsafe {
		tags[Unsafe] = "true"
	}
	if keys := EncodeHostKeys(h.HostKeys); keys != "" {
		tags[HostKeys] = keys
	}
	for _, r := range h.Agents {
		agentTags, err := EncodeAgent(r)
		if err != nil {
			return nil, err
		}
		maps.Copy(tags, agentTags)
	}
	return tags, Fits(nil, tags)
}

// HostNameValue is the value of the tag HostName.
func HostNameValue(name string) string { return hostNamePrefix + name }

// DecodeHost fills in what the tags say of a host: identity, keys, agents. Tags are
// written by others too: what is no id or name is left as the caller had it, since both
// become parts of paths.
func DecodeHost(h *agent.Host) {
	get := func(name string) string { return lookup(h.Tags, name) }
	if id, err := agent.ParseHostID(get(HostID)); err == nil {
		h.ID = id
	}
	if name := strings.TrimPrefix(get(HostName), hostNamePrefix); agent.CheckName("host", name) == nil {
		h.Name = name
	}
	if provider := get(Provider); agent.CheckName("provider", provider) == nil {
		h.Provider = provider
	}
	if t, err := time.Parse(time.RFC3339Nano, get(CreatedAt)); err == nil && h.CreatedAt.IsZero() {
		h.CreatedAt = t // the cloud's own clock, where there is one, is the better witness
	}
	h.Unsafe = get(Unsafe) != ""
	h.Run = decodeRun(get(RunSeconds), get(StartedAt), get(StoppedBy))
	h.HostKeys = DecodeHostKeys(get(HostKeys))
	h.Agents, h.Stopped = decodeAgents(h.Tags)
}

// Unreadable is the type of an agent whose record is damaged; its name is its id.
const Unreadable = "unknown"

func decodeAgents(tags map[string]string) ([]agent.Record, map[agent.ID]bool) {
	byAgent := map[agent.ID]map[string]string{}
	for name, value := range tags {
		id, field, ok := splitAgentTag(name)
		if !ok {
			continue
		}
		if byAgent[longID(id)] == nil {
			byAgent[longID(id)] = map[string]string{}
		}
		byAgent[longID(id)][field] = value
	}
	var agents []agent.Record
	stopped := map[agent.ID]bool{}
	for id, fields := range byAgent {
		if _, err := agent.ParseID(string(id)); err != nil {
			continue
		}
		p, ok := decodeAgent(fields)
		if !ok {
			// Somebody's agent all the same: it must be seen before its host is destroyed.
			p = payload{Name: string(id), Type: Unreadable}
		}
		agents = append(agents, agent.Record{ID: id, Name: p.Name, Type: p.Type, Labels: p.Labels})
		if fields[stateField] == stateStopped {
			stopped[id] = true
		}
	}
	slices.SortFunc(agents, func(a, b agent.Record) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return agents, stopped
}

// lookup finds a tag as Azure does: names are case-insensitive.
func lookup(tags map[string]string, name string) string {
	if v, ok := tags[name]; ok {
		return v
	}
	for k, v := range tags {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

const keyType = "ssh-ed25519 "

// EncodeHostKeys packs the public host keys, all Ed25519, into one tag value.
func EncodeHostKeys(k agent.HostKeys) string {
	var parts []string
	if k.VM != "" {
		parts = append(parts, "vm="+strings.TrimPrefix(k.VM, keyType))
	}
	if k.Container != "" {
		parts = append(parts, "container="+strings.TrimPrefix(k.Container, keyType))
	}
	return strings.Join(parts, " ")
}

// DecodeHostKeys is the reverse of EncodeHostKeys; what it cannot read stays empty.
func DecodeHostKeys(s string) agent.HostKeys {
	var k agent.HostKeys
	for part := range strings.FieldsSeq(s) {
		name, key, _ := strings.Cut(part, "=")
		if key == "" {
			continue
		}
		switch name {
		case "vm":
			k.VM = keyType + key
		case "container":
			k.Container = keyType + key
		}
	}
	return k
}
