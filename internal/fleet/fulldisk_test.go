package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
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
		{errors.New("write x: no space left on device"), 4095, "make it smaller"},
		{fmt.Errorf("keep the request: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}), 30, "make room on this machine"},
	} {
		f := &Fleet{Instances: []Instance{{Machines: planning{gb: c.gb}}}}
		got := orElse(f.outOfSpace(c.err, o), "mngr create %s again", o.Name)
		if hint := agent.HintOf(got); !strings.Contains(hint, c.want) || agent.KindOf(got) != agent.KindOf(c.err) || got.Error() != c.err.Error() || agent.LinesOf(got) != agent.LinesOf(c.err) {
			t.Errorf("%v: %v, hint %q", c.err, got, hint)
		}
	}
	if f := (&Fleet{}); f.outOfSpace(nil, o) != nil {
		t.Error("no error has become one")
	}
}

// An agent that found no room on a host's disk finds none there with a bigger disk for new
// hosts either: only on one of its own.
func TestRemedyOfAHostWithoutRoom(t *testing.T) {
	full := errors.New("tar: x: Cannot write: No space left on device")
	o := CreateOptions{Name: "a", Provider: "west"}
	for name, c := range map[string]struct {
		err    error
		gb     int
		before string
		want   string
	}{
		"full":         {full, 30, "", "make room on host h, or repeat the same mngr create with the name a, without @h, for a host of its own: -S providers.west.os_disk_size_gb=60"},
		"begun before": {full, 30, "mngr destroy --force a@h", "mngr destroy --force a@h # make room on host h, or"},
		"largest":      {full, 4095, "", "make room on host h"},
		"this machine": {&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 30, "", "make room on this machine's disk, then repeat the same mngr create"},
		"another":      {errors.New("broken"), 30, "", ""},
	} {
		f := &Fleet{Instances: []Instance{{Machines: planning{gb: 30}}}}
		h := agent.Host{Name: "h", Disks: []agent.Disk{{GB: c.gb}}}
		hint := agent.HintOf(f.noRoomOn(c.err, h, o, c.before))
		if !strings.HasPrefix(hint, c.want) || (c.want == "") != (hint == "") || name == "largest" && hint != c.want {
			t.Errorf("%s: hint %q, want %q", name, hint, c.want)
		}
	}
}
