package records

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"

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
	text, err := json.Marshal(payload{Name: r.Name, Type: r.Type, Labels: r.Labels})
	if err != nil {
		return nil, fmt.Errorf("encode the record of agent %q: %w", r.Name, err)
	}
	ascii := asciiJSON(text)
	sum := crc32.ChecksumIEEE([]byte(ascii))
	head := func(n int) string { return fmt.Sprintf("%d:%08x:", n, sum) }
	count := 1
	for len(head(count))+len(ascii) > count*maxValue {
		count++
	}
	whole := head(count) + ascii
	tags := make(map[string]string, count)
	for i := range count {
		end := min((i+1)*maxValue, len(whole))
		tags[recordName(r.ID, i)] = whole[i*maxValue : end]
	}
	return tags, nil
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

// asciiJSON escapes everything beyond ASCII: Azure counts characters, other tools bytes.
func asciiJSON(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r < utf8.RuneSelf:
			b.WriteByte(text[0])
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+(r>>10), 0xDC00+(r&0x3FF))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[n:]
	}
	return b.String()
}

// decodeAgent reads the record of one agent from its fields (tag names without prefix
// and id). It reports false when there is none or its parts do not belong together.
func decodeAgent(fields map[string]string) (payload, bool) {
	first, ok := fields[recordField]
	if !ok {
		return decodeOriginal(fields)
	}
	countText, rest, ok1 := strings.Cut(first, ":")
	sumText, text, ok2 := strings.Cut(rest, ":")
	count, err := strconv.Atoi(countText)
	if !ok1 || !ok2 || err != nil || count < 1 || count > maxTags {
		return payload{}, false
	}
	for i := 1; i < count; i++ {
		part, ok := fields[recordField+"."+strconv.Itoa(i)]
		if !ok {
			return payload{}, false
		}
		text += part
	}
	sum, err := strconv.ParseUint(sumText, 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE([]byte(text)) {
		return payload{}, false
	}
	var p payload
	if json.Unmarshal([]byte(text), &p) != nil {
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

// Fits refuses, before anything is written, a merge that Azure would refuse.
func Fits(have, add map[string]string) error {
	all := maps.Clone(have)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, add)
	if len(all) > maxTags {
		return agent.Errorf(agent.KindUsage,
			"this would need %d tags on the virtual machine and Azure allows %d", len(all), maxTags).
			WithHint("use fewer or shorter labels, or another host")
	}
	for name, value := range add {
		if utf8.RuneCountInString(value) > maxValue {
			return agent.Errorf(agent.KindUsage, "the value of tag %q has %d characters and Azure allows %d",
				name, utf8.RuneCountInString(value), maxValue)
		}
	}
	return nil
}
