package qemu

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/lifecycle"
)

func spec() machine.Spec {
	return machine.Spec{Key: "0123456789ab", VMID: "11111111-2222-3333-4444-555555555555", ComputerName: "vm1",
		PrivateIP: netip.MustParseAddr("10.0.0.4"), Subnet: netip.MustParsePrefix("10.0.0.0/24"),
		MAC: "00-0D-3A-11-22-33", Cores: 4, MemoryMB: 16384, DiskGB: 30}
}

func TestArguments(t *testing.T) {
	const want = `-name azlocal-abcd-machine-0123456789ab -nodefaults -no-user-config -display none
-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
-machine q35 -accel kvm -cpu host -smp 2 -m 8000
-smbios type=3,asset=7783-7084-3265-9085-8269-3286-77
-smbios type=1,uuid=11111111-2222-3333-4444-555555555555
-kernel image/vmlinuz -initrd image/initrd.img
-append root=/dev/vda rw console=ttyS0 loglevel=4 net.ifnames=0 init=/usr/lib/azlocal/boot systemd.wants=azlocal-loopback@8591.socket systemd.wants=azlocal-loopback@4711.socket
-blockdev driver=qcow2,node-name=disk,discard=unmap,file.driver=file,file.filename=disk.qcow2
-device virtio-blk-pci,drive=disk,serial=os
-blockdev driver=raw,node-name=seed,read-only=on,file.driver=file,file.filename=seed.tar
-device virtio-blk-pci,drive=seed,serial=seed
-netdev tap,id=net,ifname=tap0,script=no,downscript=no -device virtio-net-pci,netdev=net,mac=00:0d:3a:11:22:33
-device virtio-rng-pci -device virtio-balloon-pci,free-page-reporting=on
-device virtio-serial-pci -chardev socket,id=agent,path=agent.sock,server=on,wait=off
-device virtserialport,chardev=agent,name=org.qemu.guest_agent.0
-serial file:console.log -qmp unix:qmp.sock,server=on,wait=off`
	loopback := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8591"), netip.MustParseAddrPort("127.0.0.1:4711")}
	got := arguments("azlocal-abcd-machine-0123456789ab", spec(), accelerator{Name: "kvm"}, host{cores: 2, memoryMB: 16000}, loopback)
	if diff := cmp.Diff(strings.Fields(want), strings.Fields(strings.Join(got, " "))); diff != "" {
		t.Error(diff)
	}
}

func TestAccelerator(t *testing.T) {
	emulated := accelerator{Name: "tcg", Why: "no KVM"}
	if got, want := strings.Join(emulated.arguments(), " "), "-machine q35 -accel tcg,thread=multi -cpu max"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := emulated.String(), "emulated: no KVM"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	failed := errors.New("no such device")
	for name, c := range map[string]struct {
		said string
		err  error
		want string
	}{
		"works":       {"... Kernel panic - not syncing: VFS: Unable to mount root fs", nil, ""},
		"resets":      {"", nil, "KVM is there, but its kernel breaks off"},
		"fails":       {"", failed, failed.Error()},
		"panic, late": {"Kernel panic", failed, failed.Error()},
	} {
		got := ""
		if err := judge(c.said, c.err); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFit(t *testing.T) {
	for name, c := range map[string]struct {
		host          host
		cores, memory int
		wantCores     int
		wantMemory    int
	}{
		"a large host":    {host{32, 256 << 10}, 4, 16384, 4, 16384},
		"a small host":    {host{2, 8192}, 4, 16384, 2, 4096},
		"a tiny host":     {host{1, 600}, 4, 16384, 1, 512},
		"a nameless size": {host{8, 32768}, 0, 0, 1, 512},
		"an unknown host": {host{8, 0}, 2, 4096, 2, 4096},
	} {
		s := spec()
		s.Cores, s.MemoryMB = c.cores, c.memory
		if cores, memory := c.host.fit(s); cores != c.wantCores || memory != c.wantMemory {
			t.Errorf("%s: %d cores and %d MB, want %d and %d", name, cores, memory, c.wantCores, c.wantMemory)
		}
	}
}

// TestObjectOf holds together the arguments of processes and how they are found by them.
func TestObjectOf(t *testing.T) {
	h := newHypervisor(lifecycle.Config{ID: "abcd"})
	vm, router := h.object(roleMachine, "k1"), h.object(roleRouter, "k2")
	for name, c := range map[string]struct {
		args []string
		want string
		key  string
	}{
		"machine":         {append([]string{"/usr/bin/" + emulator}, arguments(vm, spec(), accelerator{Name: "tcg"}, host{cores: 1}, nil)...), vm, "k1"},
		"uplink":          {append([]string{"slirp4netns"}, uplinkArgs(namespaceFile(router))...), router, "k2"},
		"another machine": {[]string{emulator, "-name", "azlocal-abcde-machine-k1"}, "azlocal-abcde-machine-k1", ""},
		"an editor":       {[]string{"vi", "-name", vm}, "", ""},
		"no name":         {[]string{emulator, "-name"}, "", ""},
		"the kernel's":    {nil, "", ""},
	} {
		got := objectOf(c.args)
		key, _ := h.key(got)
		if got != c.want || key != c.key {
			t.Errorf("%s: %q of %q, want %q of %q", name, got, key, c.want, c.key)
		}
	}
}
