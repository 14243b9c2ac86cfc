package fleet

import (
	"fmt"
	"strings"

	"mngr/internal/agent"
)

// mostDiskGB is the largest system disk of Azure's, GiB (Microsoft's page on managed disks).
const mostDiskGB = 4095

// fullDisk tells a failure for want of space on a host's disk, by the words of the kernel
// (which Go, shells and Docker pass on) and of apt.
func fullDisk(err error) bool {
	if err == nil {
		return false
	}
	said := strings.ToLower(err.Error() + "\n" + agent.LinesOf(err))
	return strings.Contains(said, "no space left on device") || strings.Contains(said, "enough free space")
}

// outOfSpace is err with another remedy where a host's disk was full, of which the same
// create would fail again: before, and then a host with a disk of twice the size.
func (f *Fleet) outOfSpace(err error, o CreateOptions, before, why string) error {
	if !fullDisk(err) {
		return err
	}
	inst, unknown := f.instance(o.Provider)
	if unknown != nil {
		return err
	}
	size := mostDiskGB
	for _, d := range inst.Planned(agent.MachineSpec{Region: o.Region, Size: o.Size, Spot: o.Spot}).Disks {
		size = min(2*d.GB, mostDiskGB)
	}
	again := fmt.Sprintf("repeat the same mngr create with -S providers.%s.os_disk_size_gb=%d, a bigger disk (%s)", o.Provider, size, why)
	return &agent.Error{Kind: agent.KindOf(err), Cause: err.Error(), Err: err, Hint: agent.Explain(before, again)}
}
