package records

import (
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mngr/internal/agent"
)

func drawRecord(t *rapid.T) agent.Record {
	labels := rapid.MapOfN(rapid.StringMatching(`[a-zA-Z0-9_.ä -]{1,20}`), rapid.StringN(0, 900, -1), 0, 4).Draw(t, "labels")
	for k, v := range labels { // JSON carries text, not bytes
		if agent.CheckLabels(map[string]string{k: v}) != nil {
			delete(labels, k)
		}
	}
	if len(labels) == 0 {
		labels = nil
	}
	return agent.Record{
		ID:     agent.NewID(),
		Name:   rapid.StringMatching(`[a-zA-Z0-9]([a-zA-Z0-9_-]{0,20}[a-zA-Z0-9])?`).Draw(t, "name"),
		Type:   rapid.SampledFrom([]string{"command", "shell", "claude"}).Draw(t, "type"),
		Labels: labels,
	}
}

// What one operator writes, every other one reads back from the tags alone; and every
// value keeps within Azure's limits.
func TestHostRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := agent.Host{
			ID: agent.NewHostID(), Name: "box", Provider: "azure",
			CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
			HostKeys:  agent.HostKeys{VM: "ssh-ed25519 AAAA1+/=", Container: "ssh-ed25519 AAAA2"},
			Agents:    []agent.Record{drawRecord(t)},
		}
		tags, err := NewHostTags(h)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range tags {
			if utf8.RuneCountInString(value) > 256 || value != strings.TrimSpace(value) || strings.ContainsFunc(value, beyondASCII) || strings.ContainsAny(name, `<>%&\?/`) {
				t.Fatalf("tag %q has %d characters or a forbidden one", name, len(value))
			}
		}
		got := agent.Host{Tags: tags}
		DecodeHost(&got)
		h.Tags, h.Stopped = tags, map[agent.ID]bool{}
		if diff := cmp.Diff(h, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A record that shrank leaves old parts behind until they are deleted: they must not
// change what is read.
func TestLeftoversAreIgnored(t *testing.T) {
	id := agent.NewID()
	long, err := EncodeAgent(agent.Record{ID: id, Name: "a", Type: "command", Labels: map[string]string{"k": noise(900)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(long) < 3 {
		t.Fatalf("the long record has %d tags, want several", len(long))
	}
	short, err := EncodeAgent(agent.Record{ID: id, Name: "a", Type: "command"})
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(long, short)
	agents, _ := decodeAgents(long)
	if len(agents) != 1 || agents[0].Labels != nil {
		t.Fatalf("decoded %+v, want the short record", agents)
	}
}

func TestTornRecordStillCountsAsAnAgent(t *testing.T) {
	id := agent.NewID()
	tags, err := EncodeAgent(agent.Record{ID: id, Name: "a", Labels: map[string]string{"k": noise(400)}})
	if err != nil {
		t.Fatal(err)
	}
	if agents, _ := decodeAgents(tags); len(agents) != 1 {
		t.Fatalf("whole record decoded to %v", agents)
	}
	tags[recordName(id, 1)] = strings.Repeat("y", 10)
	agents, _ := decodeAgents(tags)
	if len(agents) != 1 || agents[0].Name != string(id) || agents[0].Type != "unknown" || agents[0].Labels != nil {
		t.Fatalf("torn record decoded to %v, want the agent by its id", agents)
	}
}

func TestOriginalsTagsAreRead(t *testing.T) {
	h := agent.Host{Tags: map[string]string{
		"managed-by": "mngr", "mngr-provider": "azure", "mngr-host-name": "mngr-old",
		"mngr-agent-agent-0123456789abcdef0123456789abcdef-name":   "a1",
		"mngr-agent-agent-0123456789abcdef0123456789abcdef-type":   "claude",
		"mngr-agent-agent-0123456789abcdef0123456789abcdef-labels": `{"project":"x"}`,
	}}
	DecodeHost(&h)
	want := []agent.Record{{ID: "agent-0123456789abcdef0123456789abcdef", Name: "a1", Type: "claude", Labels: map[string]string{"project": "x"}}}
	if diff := cmp.Diff(want, h.Agents); diff != "" {
		t.Error(diff)
	}
	if h.Name != "old" {
		t.Errorf("name = %q, want old", h.Name)
	}
}

func TestTooManyTagsAreRefusedWithTheCount(t *testing.T) {
	have := map[string]string{"mngr-agent-x-record": "old", "Somebodys": "tag"}
	for i := range 47 {
		have[strings.Repeat("t", i+1)] = ""
	}
	for name, add := range map[string]map[string]string{
		"the last one":              {"one": ""},
		"one that is there already": {"mngr-agent-x-record": "new", "one": ""},
		"in another spelling":       {"MNGR-agent-x-record": "new", "somebodyS": "", "one": ""},
	} {
		if err := Fits(have, add); err != nil {
			t.Errorf("%s: refused: %v", name, err)
		}
	}
	err := Fits(have, map[string]string{"one": "", "two": "", "three": ""})
	if agent.KindOf(err) != agent.KindUsage || err.Error() != "this needs 3 more tags on the virtual machine, and 1 is free of Azure's 50" {
		t.Errorf("52 tags: %v", err)
	}
	if err := Fits(nil, map[string]string{"one": strings.Repeat("é", 257)}); err == nil || !strings.Contains(err.Error(), "257") {
		t.Errorf("a value that is too long: %v", err)
	}
}

// Names and ids become parts of paths on the operator's machine.
func TestHostileTagsKeepOutOfPaths(t *testing.T) {
	h := agent.Host{Name: "vm-name", Tags: map[string]string{
		"mngr-host-id": "../../.ssh", "mngr-host-name": "mngr-../x", "mngr-provider": "../../.ssh",
		"mngr-agent-../../x-record": `1:00000000:{}`,
	}}
	DecodeHost(&h)
	if h.ID != "" || h.Name != "vm-name" || h.Provider != "" || len(h.Agents) != 0 {
		t.Errorf("decoded %+v", h)
	}
}
