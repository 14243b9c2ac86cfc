package records

import (
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mngr/internal/agent"
)

// Anybody with rights on tags may write any: decoding never fails, gives the same answer
// twice, and lets no name or id through that could not have been one.
func TestArbitraryTagsDecode(t *testing.T) {
	id := string(agent.NewID())
	name := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{HostID, HostName, Provider, CreatedAt, HostKeys, "MNGR-HOST-ID", "mngr-agent-", "mngr-agent--", "mngr-agent-x-"}),
		rapid.Custom(func(t *rapid.T) string {
			field := rapid.SampledFrom([]string{"record", "record.1", "record.2", "Record.01", "state", "name", "type", "labels", "x"}).Draw(t, "field")
			return "mngr-agent-" + strings.TrimPrefix(id, rapid.SampledFrom([]string{"", "agent-"}).Draw(t, "prefix")) + "-" + field
		}),
	)
	value := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"1:00000000:", "2:00000000:{}", "50:0:", "99999999999999999999:0:x", "-1:0:x", "stopped", `{"a":1}`, id}),
		rapid.Map(rapid.String(), func(text string) string { return forge(1, text) }),
		rapid.Map(rapid.String(), func(text string) string { return forge(1, pack([]byte(text))) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		checkDecoded(t, rapid.MapOfN(name, value, 0, 60).Draw(t, "tags"))
	})
}

type fataler interface{ Fatalf(string, ...any) }

func checkDecoded(t fataler, tags map[string]string) {
	h, again := agent.Host{Tags: tags}, agent.Host{Tags: tags}
	DecodeHost(&h)
	if _, err := agent.ParseHostID(string(h.ID)); h.ID != "" && err != nil {
		t.Fatalf("an impossible host id %q", h.ID)
	}
	for _, name := range []string{h.Name, h.Provider} {
		if name != "" && agent.CheckName("x", name) != nil {
			t.Fatalf("an impossible name %q", name)
		}
	}
	seen := map[agent.ID]bool{}
	for _, r := range h.Agents {
		if _, err := agent.ParseID(string(r.ID)); err != nil || seen[r.ID] || agent.CheckName("agent", r.Name) != nil {
			t.Fatalf("an impossible agent %+v", r)
		}
		seen[r.ID] = true
	}
	DecodeHost(&again)
	if diff := cmp.Diff(h.Agents, again.Agents); diff != "" {
		t.Fatalf("decoded twice: %s", diff)
	}
}

// forge gives any text the right count and checksum.
func forge(count int, text string) string {
	return fmt.Sprintf("%d:%08x:%s", count, crc32.ChecksumIEEE([]byte(text)), text)
}

func TestForgedRecords(t *testing.T) {
	id := agent.NewID()
	good := `{"name":"a","type":"command"}`
	bomb := make([]byte, 8<<20)
	var deflated bytes.Buffer
	w, _ := flate.NewWriter(&deflated, flate.BestCompression)
	_, _ = w.Write(bomb)
	_ = w.Close()
	packed := make([]byte, ascii85.MaxEncodedLen(deflated.Len()))
	packed = packed[:ascii85.Encode(packed, deflated.Bytes())]
	for name, c := range map[string]struct {
		tags map[string]string
		want string // agent's name; "" for unreadable
	}{
		"plain":                    {map[string]string{recordName(id, 0): forge(1, good)}, "a"},
		"packed":                   {map[string]string{recordName(id, 0): forge(1, pack([]byte(good)))}, "a"},
		"leftover of a longer one": {map[string]string{recordName(id, 0): forge(1, good), recordName(id, 1): "junk", recordName(id, 7): "junk"}, "a"},
		"wrong checksum":           {map[string]string{recordName(id, 0): "1:00000000:" + good}, ""},
		"a part too few":           {map[string]string{recordName(id, 0): forge(2, good)}, ""},
		"no count":                 {map[string]string{recordName(id, 0): good}, ""},
		"a hundred parts":          {map[string]string{recordName(id, 0): forge(100, good)}, ""},
		"no JSON":                  {map[string]string{recordName(id, 0): forge(1, "{nonsense")}, ""},
		"a path for a name":        {map[string]string{recordName(id, 0): forge(1, `{"name":"../../x"}`)}, ""},
		"a bomb":                   {map[string]string{recordName(id, 0): forge(1, string(packed))}, ""},
	} {
		agents, _ := decodeAgents(c.tags)
		want := c.want
		if want == "" {
			want = string(id)
		}
		if len(agents) != 1 || agents[0].Name != want {
			t.Errorf("%s: decoded %+v, want %s", name, agents, want)
		}
	}
	// Parts of two records do not make one.
	a, _ := EncodeAgent(agent.Record{ID: id, Name: "a", Labels: map[string]string{"k": noise(300)}})
	b, _ := EncodeAgent(agent.Record{ID: id, Name: "a", Labels: map[string]string{"k": noise(301)}})
	a[recordName(id, 1)] = b[recordName(id, 1)]
	if agents, _ := decodeAgents(a); len(agents) != 1 || agents[0].Type != Unreadable {
		t.Errorf("crossed parts: %+v", agents)
	}
}

// The text of labels is kept to the byte: it is cleaned where it is shown.
func TestHostileTextIsKept(t *testing.T) {
	want := agent.Record{ID: agent.NewID(), Name: "a", Type: "command", Labels: map[string]string{"k": "\x1b]0;owned\x07\u202e\n</script>"}}
	tags, err := EncodeAgent(want)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range tags {
		if strings.ContainsFunc(value, beyondASCII) {
			t.Errorf("tag %s holds %q", name, value)
		}
	}
	agents, _ := decodeAgents(tags)
	if diff := cmp.Diff([]agent.Record{want}, agents); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecodeHost(f *testing.F) {
	f.Add("mngr-agent-0123-record", `1:00000000:{"name":"a"}`, "mngr-host-keys", "vm=AAAA")
	f.Add("mngr-agent-0123456789abcdef0123456789abcdef-record", forge(1, pack([]byte(`{"name":"a"}`))), "mngr-agent-agent-0123456789abcdef0123456789abcdef-labels", "[]")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string) {
		checkDecoded(t, map[string]string{n1: v1, n2: v2})
	})
}

func FuzzAgentRoundTrip(f *testing.F) {
	f.Add("a", "command", "k", "v")
	f.Add("a", "", "k", strings.Repeat("\u2028ä ", 300))
	f.Fuzz(func(t *testing.T, name, kind, key, value string) {
		want := agent.Record{ID: agent.NewID(), Name: name, Type: strings.ToValidUTF8(kind, ""), Labels: map[string]string{key: value}}
		tags, err := EncodeAgent(want)
		if err != nil || agent.CheckName("agent", name) != nil {
			return
		}
		agents, _ := decodeAgents(tags)
		if diff := cmp.Diff([]agent.Record{want}, agents); diff != "" {
			t.Fatal(diff)
		}
	})
}
