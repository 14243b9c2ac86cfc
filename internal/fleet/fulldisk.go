package fleet

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"mngr/internal/agent"
)

// mostDiskGB is the largest system disk of Azure's, GiB (Microsoft's page on managed disks).
const mostDiskGB = 4095

// fullDisk tells a failure for want of space on a host's disk, by the words of the kernel
// (which Go, shells and Docker pass on) and of apt.
func fullDisk(err error) bool {
	if err == nil || fullHere(err) {
		return false
	}
	said := strings.ToLower(err.Error() + "\n" + agent.LinesOf(err))
	return strings.Contains(said, "no space left on device") || strings.Contains(said, "enough free space")
}

// fullHere tells a failure for want of space on this machine: of what failed on a host there
// are words only.
func fullHere(err error) bool { return errors.Is(err, syscall.ENOSPC) }

const roomHere = "make room on this machine's disk, then repeat the same mngr create"

func withHint(err error, hint string) error {
	return &agent.Error{Kind: agent.KindOf(err), Cause: err.Error(), Err: err, Hint: hint}
}

// outOfSpace is err with another remedy where the disk of a new host was full, of which the
// same create would fail again: a disk of twice the size.
func (f *Fleet) outOfSpace(err error, o CreateOptions) error {
	switch {
	case fullHere(err):
		return withHint(err, roomHere)
	case !fullDisk(err):
		return err
	}
	bigger := f.biggerDisk(agent.Host{}, o)
	if bigger == "" {
		return withHint(err, "what the agent needs does not fit on the largest disk there is: make it smaller (nothing is left of this one)")
	}
	return withHint(err, "repeat the same mngr create with "+bigger+", a bigger disk (nothing is left of this one)")
}

// noRoomOn is err with another remedy where the disk of a host that exists was full: before,
// and then room on it, or a host of the agent's own.
func (f *Fleet) noRoomOn(err error, h agent.Host, o CreateOptions, before string) error {
	switch {
	case fullHere(err):
		return withHint(err, agent.Explain(before, roomHere))
	case !fullDisk(err):
		return err
	}
	room := "make room on host " + h.Name
	if bigger := f.biggerDisk(h, o); bigger != "" {
		room += fmt.Sprintf(", or repeat the same mngr create with the name %s, without @%s, for a host of its own: %s, a bigger disk", o.Name, h.Name, bigger)
	}
	return withHint(err, agent.Explain(before, room))
}

// biggerDisk is the option that gives a new host a disk of twice the size of h's, or, where
// that is not known, of what a new one has; "" where there is none bigger.
func (f *Fleet) biggerDisk(h agent.Host, o CreateOptions) string {
	disks := h.Disks
	if inst, err := f.instance(o.Provider); err == nil && len(disks) == 0 {
		disks = inst.Planned(agent.MachineSpec{Region: o.Region, Size: o.Size, Spot: o.Spot}).Disks
	}
	gb := 0
	for _, d := range disks {
		gb = max(gb, d.GB)
	}
	if gb == 0 || gb >= mostDiskGB {
		return ""
	}
	return fmt.Sprintf("-S providers.%s.os_disk_size_gb=%d", o.Provider, min(2*gb, mostDiskGB))
}
