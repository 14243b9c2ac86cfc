package records

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mngr/internal/agent"
)

// payload is the JSON of a record. Short keys would save little and cost a reader much.
type payload struct {
	Name   string            `json:"name"`
	Type   string            `json:"type,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

// EncodeAgent returns the tags of one agent: "mngr-agent-<id>-record" and, where 256
// characters do not suffice, "-record.1", "-record.2" … The first value starts with the
// number of values and the CRC-32 of the whole text, so that leftovers of a longer
// record are recognised and ignored.
func EncodeAgent(r agent.Record) (map[string]string, error) {
	if err := agent.CheckLabels(r.Labels); err != nil {
		return nil, err
	}
	text, err := json.Marshal(payload{Name: r.Name, Type: r.Type, Labels: r.Labels})
	if err != nil {
		return nil, fmt.Errorf("encode the record of agent %q: %w", r.Name, err)
	}
	if len(text) > maxText {
		return nil, agent.Errorf(agent.KindUsage, "the labels of agent %q have %d bytes, and a host's tags hold no more than a part of %d",
			r.Name, len(text), maxTags*maxValue).WithHint("use fewer or shorter labels")
	}
	tags := map[string]string{}
	for i, value := range split(text) {
		tags[recordName(r.ID, i)] = value
	}
	return tags, nil
}

// ChangeAgent returns what turns the tags of an agent into those of r: what to write and
// what to delete afterwards. A host of the original gets a record of ours in place of its
// three tags.
func ChangeAgent(have map[string]string, r agent.Record) (set map[string]string, remove []string, err error) {
	if set, err = EncodeAgent(r); err != nil {
		return nil, nil, err
	}
	state, _ := StoppedTag(r.ID)
	for _, name := range AgentTagNames(have, r.ID) {
		if _, kept := set[strings.ToLower(name)]; !kept && !strings.EqualFold(name, state) {
			remove = append(remove, name)
		}
	}
	slices.Sort(remove)
	return set, remove, nil
}

func recordName(id agent.ID, part int) string {
	name := agentPrefix + shortID(id) + "-" + recordField
	if part > 0 {
		name += "." + strconv.Itoa(part)
	}
	return name
}

// shortID is the id as it stands in tag names: without its "agent-".
func shortID(id agent.ID) string { return strings.TrimPrefix(string(id), "agent-") }

// longID is the reverse of shortID; the original wrote ids with their prefix.
func longID(s string) agent.ID {
	if strings.HasPrefix(s, "agent-") {
		return agent.ID(s)
	}
	return agent.ID("agent-" + s)
}

// decodeAgent reads the record of one agent from its fields (tag names without prefix
// and id). It reports false when there is none or its parts do not belong together.
func decodeAgent(fields map[string]string) (payload, bool) {
	if _, ok := fields[recordField]; !ok {
		return decodeOriginal(fields)
	}
	text, ok := join(func(part int) (string, bool) {
		if part == 0 {
			return fields[recordField], true
		}
		value, ok := fields[recordField+"."+strconv.Itoa(part)]
		return value, ok
	})
	var p payload
	if !ok || json.Unmarshal(text, &p) != nil {
		return payload{}, false
	}
	return p, agent.CheckName("agent", p.Name) == nil
}

// decodeOriginal reads the three tags an agent has on hosts of the Python original.
func decodeOriginal(fields map[string]string) (payload, bool) {
	p := payload{Name: fields["name"], Type: fields["type"]}
	if labels, ok := fields["labels"]; ok {
		var m map[string]string
		if json.Unmarshal([]byte(labels), &m) == nil {
			p.Labels = m
		}
	}
	return p, agent.CheckName("agent", p.Name) == nil
}

// StoppedTag marks an agent that was stopped alone while its host keeps running.
func StoppedTag(id agent.ID) (name, value string) {
	return agentPrefix + shortID(id) + "-" + stateField, stateStopped
}

// AgentTagNames lists the names of all tags in tags that belong to the agent.
func AgentTagNames(tags map[string]string, id agent.ID) []string {
	var names []string
	for name := range tags {
		if tagID, _, ok := splitAgentTag(name); ok && longID(tagID) == id {
			names = append(names, name)
		}
	}
	return names
}
