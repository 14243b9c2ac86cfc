package fleet

import (
	"strings"
	"testing"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// TestToldOfADisk shows a disk on which nothing fits any more, and no other, whatever a
// guest says.
func TestToldOfADisk(t *testing.T) {
	const gb = 1 << 30
	for _, c := range []struct {
		disk *ctl.Disk
		want string // of the failure
	}{
		{nil, ""},
		{&ctl.Disk{Size: 30 * gb, Free: 20 * gb}, ""},
		{&ctl.Disk{Size: 30 * gb, Free: 257 << 20}, ""},
		{&ctl.Disk{Size: 30 * gb, Free: 200 << 20}, "200 MB of 30 GB are free"},
		{&ctl.Disk{Size: 4 << 20, Free: 1 << 20}, ""}, // small, and far from full
		{&ctl.Disk{Size: 30 * gb, Free: -5}, "0 MB of 30 GB are free"},
		{&ctl.Disk{Size: -1, Free: -5}, ""},
	} {
		h := agent.Host{State: agent.HostRunning}
		told(&h, &ctl.ContainerStatus{Disk: c.disk})
		if (c.want == "") != (h.Failure == "") || !strings.Contains(h.Failure, c.want) {
			t.Errorf("%+v: %q, want %q", c.disk, h.Failure, c.want)
		}
	}
}
