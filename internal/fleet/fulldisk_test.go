package fleet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mngr/internal/agent"
)

// planning is a provider that would make hosts with a disk of some size.
type planning struct {
	Machines
	gb int
}

func (planning) Name() string { return "west" }
func (p planning) Planned(agent.MachineSpec) agent.Host {
	return agent.Host{Disks: []agent.Disk{{Kind: "StandardSSD_LRS", GB: p.gb}}}
}

// What failed on a full disk fails again unless the disk is bigger.
func TestRemedyOfAFullDisk(t *testing.T) {
	o := CreateOptions{Name: "a", Provider: "west"}
	for _, c := range []struct {
		err  error
		gb   int
		want string // part of the hint
	}{
		{errors.New("write agent record: open x: no space left on device"), 30, "os_disk_size_gb=60,"},
		{errors.New("tar: x: Cannot write: No space left on device"), 4000, "os_disk_size_gb=4095,"},
		{&agent.Error{Cause: "the build failed", Hint: "look at the log", Lines: "E: You don't have enough free space in /var/cache/apt/archives/."}, 64, "os_disk_size_gb=128,"},
		{fmt.Errorf("around: %w", agent.Errorf(agent.KindInternal, "broken").WithHint("another")), 30, "another"},
		{errors.New("broken"), 30, "again"},
	} {
		f := &Fleet{Instances: []Instance{{Machines: planning{gb: c.gb}}}}
		got := orElse(f.outOfSpace(c.err, o, "", "nothing is left of this one"), "mngr create %s again", o.Name)
		if hint := agent.HintOf(got); !strings.Contains(hint, c.want) || agent.KindOf(got) != agent.KindOf(c.err) || got.Error() != c.err.Error() || agent.LinesOf(got) != agent.LinesOf(c.err) {
			t.Errorf("%v: %v, hint %q", c.err, got, hint)
		}
	}
	if f := (&Fleet{}); f.outOfSpace(nil, o, "", "") != nil {
		t.Error("no error has become one")
	}
}
