package qemu

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/guestimage"
)

// Files in a machine's directory. The emulator runs in it, so that neither the length nor
// the letters of its path matter.
const (
	diskFile    = "disk.qcow2"
	seedFile    = "seed.tar"
	imageLink   = "image"
	controlFile = "qmp.sock"
	agentFile   = "agent.sock"
	consoleFile = "console.log" // there from the first boot on
	logFile     = "qemu.log"
)

// assetTag is what Azure's machines have, and cloud-init knows them by (ds-identify).
const assetTag = "7783-7084-3265-9085-8269-3286-77"

// host is what a machine's size is cut down to.
type host struct{ cores, memoryMB int }

func thisHost() host {
	h := host{cores: runtime.NumCPU()}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		h.memoryMB = int(info.Totalram * uint64(info.Unit) >> 20)
	}
	return h
}

// fit keeps a machine from having more cores than there are, or more than half the memory.
func (h host) fit(spec machine.Spec) (cores, memoryMB int) {
	cores, memoryMB = max(1, min(spec.Cores, h.cores)), max(512, spec.MemoryMB)
	if h.memoryMB > 0 {
		memoryMB = min(memoryMB, max(512, h.memoryMB/2))
	}
	return cores, memoryMB
}

// arguments of the emulator, which keeps no privilege that it can do without, and has no
// device beyond what the guest needs.
func arguments(name string, spec machine.Spec, on accelerator, h host, loopback []netip.AddrPort) []string {
	cores, memoryMB := h.fit(spec)
	args := []string{"-name", name, "-nodefaults", "-no-user-config", "-display", "none",
		"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"}
	args = append(args, on.arguments()...)
	args = append(args, "-smp", strconv.Itoa(cores), "-m", strconv.Itoa(memoryMB),
		"-smbios", "type=3,asset="+assetTag)
	if spec.VMID != "" {
		args = append(args, "-smbios", "type=1,uuid="+spec.VMID)
	}
	image := guestimage.Disk(imageLink)
	return append(args, "-kernel", image.Kernel(), "-initrd", image.Initrd(), "-append", commandLine(loopback),
		"-blockdev", "driver=qcow2,node-name=disk,discard=unmap,file.driver=file,file.filename="+diskFile,
		"-device", "virtio-blk-pci,drive=disk,serial=os",
		"-blockdev", "driver=raw,node-name=seed,read-only=on,file.driver=file,file.filename="+seedFile,
		"-device", "virtio-blk-pci,drive=seed,serial=seed",
		"-netdev", "tap,id=net,ifname="+fabric.Tap+",script=no,downscript=no",
		"-device", "virtio-net-pci,netdev=net,mac="+fabric.PortOf(spec, nil).HardwareAddr(),
		"-device", "virtio-rng-pci", "-device", "virtio-balloon-pci,free-page-reporting=on",
		"-device", "virtio-serial-pci", "-chardev", "socket,id=agent,path="+agentFile+",server=on,wait=off",
		"-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
		"-serial", "file:"+consoleFile, "-qmp", "unix:"+controlFile+",server=on,wait=off")
}

func commandLine(loopback []netip.AddrPort) string {
	words := []string{"root=/dev/vda", "rw", "console=ttyS0", "loglevel=4", "net.ifnames=0", "init=" + guestimage.Boot}
	for _, addr := range loopback {
		words = append(words, fmt.Sprintf("systemd.wants=azlocal-loopback@%d.socket", addr.Port()))
	}
	return strings.Join(words, " ")
}

// objectOf is the name of what a process runs for; "" for processes of no instance.
func objectOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	switch filepath.Base(args[0]) {
	case emulator:
		if at := slices.Index(args, "-name"); at >= 0 && at+1 < len(args) {
			return args[at+1]
		}
	case "slirp4netns":
		for _, arg := range args {
			if name, ok := strings.CutPrefix(arg, namespaceDir+"/"); ok {
				return name
			}
		}
	}
	return ""
}
