package records

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
)

// noise is text that no packing makes much shorter: base64 of random bytes.
func noise(n int) string {
	b := make([]byte, n)
	random := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return base64.StdEncoding.EncodeToString(b)[:n]
}

func beyondASCII(r rune) bool { return r < ' ' || r > '~' }

// fullHost is a finished host with n agents.
func fullHost(t *testing.T, n int) map[string]string {
	t.Helper()
	h := agent.Host{
		ID: agent.NewHostID(), Name: "box", Provider: "azure", CreatedAt: time.Unix(1, 0),
		HostKeys: agent.HostKeys{VM: "ssh-ed25519 " + noise(68), Container: "ssh-ed25519 " + noise(68)},
	}
	for i := range n {
		h.Agents = append(h.Agents, agent.Record{ID: agent.NewID(), Name: fmt.Sprintf("a-rather-long-name-%d", i), Type: "command",
			Labels: map[string]string{"project": "web"}})
	}
	tags, err := NewHostTags(h)
	if err != nil {
		t.Fatalf("%d agents: %v", n, err)
	}
	return tags
}

// Thirty agents fit on one host, and labels of 2,000 characters on two of them too,
// whatever they say; what does not fit is refused.
func TestThirtyAgentsAndTwoLongLabels(t *testing.T) {
	for name, long := range map[string]string{
		"noise":  noise(2000),
		"prose":  strings.Repeat("The quick brown fox jumps over the lazy dog. ", 45)[:2000],
		"umlaut": strings.Repeat("ä", 2000),
		"spaces": strings.Repeat(" ", 2000),
	} {
		tags := fullHost(t, 30)
		var want []agent.Record
		for i := range 3 {
			h := agent.Host{Tags: tags}
			DecodeHost(&h)
			want = h.Agents
			if len(want) != 30 {
				t.Fatalf("%s: %d agents", name, len(want))
			}
			want[i].Labels = map[string]string{"project": "web", "description": long}
			set, remove, err := ChangeAgent(tags, want[i])
			if err != nil || len(remove) != 0 {
				t.Fatal(remove, err)
			}
			err = Fits(tags, set)
			if i == 2 && name == "noise" { // the third is one too many
				if err == nil || !strings.Contains(err.Error(), "none is free of Azure's 50") {
					t.Errorf("%s: a third label: %v", name, err)
				}
				break
			}
			if err != nil {
				t.Fatalf("%s: label %d: %v", name, i+1, err)
			}
			maps.Copy(tags, set)
			got := agent.Host{Tags: tags}
			DecodeHost(&got)
			if diff := cmp.Diff(want, got.Agents); diff != "" {
				t.Fatalf("%s: %s", name, diff)
			}
		}
	}
}

// A shorter record deletes the parts that it does not need, and the original's three
// tags; the mark of a stopped agent stays.
func TestChangeAgentDeletesWhatIsLeft(t *testing.T) {
	id := agent.NewID()
	stopped, value := StoppedTag(id)
	have := map[string]string{
		"mngr-agent-" + string(id) + "-name": "old", "mngr-agent-" + string(id) + "-type": "claude",
		stopped: value, "MNGR-Agent-" + shortID(id) + "-Record": "1:0:{}", recordName(id, 1): "x", recordName(id, 2): "y",
		recordName(agent.NewID(), 0): "another's",
	}
	set, remove, err := ChangeAgent(have, agent.Record{ID: id, Name: "new", Labels: map[string]string{"k": noise(250)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, two := set[recordName(id, 1)]; !two || len(set) != 2 {
		t.Fatalf("wrote %v, want two parts", slices.Sorted(maps.Keys(set)))
	}
	want := []string{"mngr-agent-" + string(id) + "-name", "mngr-agent-" + string(id) + "-type", recordName(id, 2)}
	slices.Sort(want)
	if diff := cmp.Diff(want, remove); diff != "" {
		t.Error(diff)
	}
}

// What cannot be told apart afterwards, or not be written, is refused before.
func TestImpossibleLabels(t *testing.T) {
	for name, labels := range map[string]map[string]string{
		"no key":      {"": "v"},
		"long key":    {strings.Repeat("k", 64): "v"},
		"control":     {"a\x1b": "v"},
		"equals":      {"a=b": "v"},
		"bytes":       {"k": "\xff"},
		"nul":         {"k": "\x00"},
		"a megabyte":  {"k": strings.Repeat("x", 1<<20)},
		"bytes (key)": {"\xff": "v"},
	} {
		if _, err := EncodeAgent(agent.Record{ID: agent.NewID(), Name: "a", Labels: labels}); agent.KindOf(err) != agent.KindUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := EncodeAgent(agent.Record{ID: agent.NewID(), Name: "a", Labels: map[string]string{"a.b/c d": "\n\x1b"}}); err != nil {
		t.Errorf("a label that is merely ugly: %v", err)
	}
}
