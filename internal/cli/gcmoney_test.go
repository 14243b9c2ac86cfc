package cli

import (
	"bytes"
	"strings"
	"testing"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// What gc saves is never said to be nothing where a price is not known.
func TestGCSavesWhatIsKnown(t *testing.T) {
	host := agent.USD{Known: 36.5, Unknown: 1}
	for name, c := range map[string]struct {
		costs []agent.USD
		want  string
		row   string
	}{
		"all known":     {[]agent.USD{{Known: 3.65}, {}}, "Removed 2 of 2; about $3.65 a month less.", "~3.65"},
		"a part known":  {[]agent.USD{host, {Known: 3.65}}, "Removed 2 of 2; at least about $40.15 a month less (of 1 a price is not known).", "~36.50+?"},
		"nothing known": {[]agent.USD{{Unknown: 1}}, "Removed 1 of 1; what they cost is not known (1).", "unknown"},
	} {
		var list fleet.GarbageList
		for _, cost := range c.costs {
			list.Items = append(list.Items, fleet.Garbage{Leftover: agent.Leftover{Kind: agent.LeftoverDisk, Name: "d", Monthly: cost}, Removed: true})
		}
		var out bytes.Buffer
		if err := gcTable(output.New(output.Streams{Out: &out, Err: &out}, output.Human, false), &out, newGCResult(list, false)); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.Contains(got, c.want) || !strings.Contains(got, " "+c.row+" ") {
			t.Errorf("%s: %s\nwant %s and %s", name, got, c.want, c.row)
		}
	}
}
