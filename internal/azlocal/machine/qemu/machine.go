package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/lifecycle"
	"mngr/internal/azlocal/machine/process"
	"mngr/internal/azlocal/machine/qmp"
	"mngr/internal/azlocal/machine/seed"
)

// powerButtonPause is how long a guest may take to heed its power button, which it misses
// early in its boot, before it is pressed again.
const powerButtonPause = 3 * time.Second

// Look looks at files and processes.
func (h *hypervisor) Look(_ context.Context, key string) (lifecycle.Status, error) {
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(h.dir(key), name))
		return err == nil
	}
	p, err := h.running(key)
	if p != nil {
		p.Close()
	}
	return lifecycle.Status{Exists: exists(diskFile), Booted: exists(diskFile) && exists(consoleFile), Running: p != nil}, err
}

// running returns nil when the machine does not run.
func (h *hypervisor) running(key string) (*process.Process, error) {
	name := h.object(roleMachine, key)
	all, err := process.Find(func(args []string) bool { return objectOf(args) == name })
	if err != nil || len(all) == 0 {
		return nil, err
	}
	for _, p := range all[1:] {
		p.Close()
	}
	return all[0], nil
}

// Make lays a disk over the image's.
func (h *hypervisor) Make(ctx context.Context, spec machine.Spec, image string) error {
	if err := h.Remove(ctx, spec.Key); err != nil {
		return err
	}
	dir := h.dir(spec.Key)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Symlink(image, filepath.Join(dir, imageLink)); err != nil {
		return err
	}
	disk := filepath.Join(dir, diskFile)
	if _, err := hostcmd.Run(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", guestimage.Disk(image).Root(),
		disk, strconv.Itoa(max(spec.DiskGB, minDiskGB))+"G"); err != nil {
		return err
	}
	return os.Chmod(disk, 0o600)
}

// minDiskGB holds the image.
const minDiskGB = 4

// Boot also hands over the seed, of which the guest takes the network each time, and
// enlarges a disk that has become larger on Azure.
func (h *hypervisor) Boot(ctx context.Context, spec machine.Spec, loopback []netip.AddrPort) error {
	dir, name := h.dir(spec.Key), h.object(roleMachine, spec.Key)
	files := []seed.File{
		{Name: guestimage.Network[1:], Mode: 0o644, Data: []byte(fabric.PortOf(spec, nil).MachineSide())},
		{Name: "etc/resolv.conf", Mode: 0o644, Data: []byte("nameserver " + fabric.WireServer().String() + "\n")},
		{Name: "etc/hosts", Mode: 0o644, Data: []byte("127.0.0.1 localhost\n127.0.1.1 " + spec.ComputerName + "\n")},
	}
	data, err := seed.Tar(spec, files...)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, seedFile), data, 0o600); err != nil {
		return err
	}
	if err := enlarge(ctx, filepath.Join(dir, diskFile), spec.DiskGB); err != nil {
		return err
	}
	image, err := filepath.EvalSymlinks(filepath.Join(dir, imageLink))
	if err != nil {
		return err
	}
	on := h.accelerate(ctx, guestimage.Disk(image), func(string) {})
	cmd := exec.Command("nsenter", append([]string{"--net=" + namespaceFile(name), "--", emulator},
		arguments(name, spec, on, thisHost(), loopback)...)...)
	cmd.Dir = dir
	vm, err := process.Detach(cmd, filepath.Join(dir, logFile))
	if err != nil {
		return err
	}
	if err := h.awaitControl(ctx, spec.Key, vm); err != nil {
		return err
	}
	return h.watchOver(spec.Key)
}

// awaitControl waits until the emulator takes commands: all its devices are there then. It
// takes one connection at a time, hence the pause.
func (h *hypervisor) awaitControl(ctx context.Context, key string, vm *process.Detached) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for h.control(ctx, key, "query-status") != nil {
		select {
		case <-tick.C:
		case <-vm.Ended:
			return vm.Failure()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// enlarge leaves a disk that is large enough as it is.
func enlarge(ctx context.Context, disk string, sizeGB int) error {
	out, err := hostcmd.Run(ctx, "qemu-img", "info", "--output=json", disk)
	if err != nil {
		return err
	}
	var info struct {
		Bytes int64 `json:"virtual-size"`
	}
	if err := json.Unmarshal([]byte(out), &info); err != nil {
		return fmt.Errorf("read the size of a disk: %w", err)
	}
	if info.Bytes >= int64(sizeGB)<<30 {
		return nil
	}
	_, err = hostcmd.Run(ctx, "qemu-img", "resize", "-q", disk, strconv.Itoa(sizeGB)+"G")
	return err
}

// Halt presses the power button and, at the end of the patience, pulls the plug.
func (h *hypervisor) Halt(ctx context.Context, key string, grace time.Duration) error {
	p, err := h.running(key)
	if err != nil || p == nil {
		return err
	}
	defer p.Close()
	patience, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for patience.Err() == nil {
		pressed, cancel := context.WithTimeout(patience, powerButtonPause)
		if err := h.control(pressed, key, "system_powerdown"); err != nil {
			h.Log.Debug("press a power button", "key", key, "err", err)
		}
		err := p.Wait(pressed)
		cancel()
		if err == nil {
			return nil
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return p.Wait(ctx)
}

func (h *hypervisor) control(ctx context.Context, key, command string) error {
	conn, err := qmp.Dial(ctx, filepath.Join(h.dir(key), controlFile))
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Execute(command, nil, nil)
}

// Kill pulls the plug.
func (h *hypervisor) Kill(_ context.Context, key string) error {
	p, err := h.running(key)
	if err != nil || p == nil {
		return err
	}
	return errors.Join(p.Kill(), p.Close())
}

// Remove pulls the plug first.
func (h *hypervisor) Remove(ctx context.Context, key string) error {
	return h.remove(ctx, h.object(roleMachine, key), key)
}
