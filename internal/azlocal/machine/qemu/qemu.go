// Package qemu makes machines of full virtual machines: a kernel of their own, the same
// Debian as the docker driver's on a disk, KVM where it works and emulation otherwise. A
// machine is a directory with its disk, a network namespace with a bridge from its cable to
// its tap device, and a QEMU process in that namespace that outlives this one. The way out
// of a network is a user-mode one (slirp4netns): neither the host's firewall nor its
// forwarding is touched. Only internal/azlocal imports it.
package qemu

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/lifecycle"
	"mngr/internal/azlocal/machine/process"
)

// emulator is the program that is a machine.
const emulator = "qemu-system-x86_64"

// hypervisor makes and runs the virtual machines of one instance.
type hypervisor struct {
	lifecycle.Config
	images *guestimage.Cache

	mu          sync.Mutex
	accelerator accelerator
	follow      func(*process.Process) // nil while nobody watches
}

var _ lifecycle.Hypervisor = (*hypervisor)(nil)

// New checks what the driver stands on; an error is one line with its remedy. Nothing is
// made before Prepare or Recover.
func New(ctx context.Context, config lifecycle.Config, services machine.Services) (*lifecycle.Driver, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	return lifecycle.New(ctx, config, services, newHypervisor(config))
}

func newHypervisor(config lifecycle.Config) *hypervisor {
	return &hypervisor{Config: config, images: guestimage.NewCache(guestimage.Dir, config.Log)}
}

// Check tells whether virtual machines can be made here; an error is one line with its
// remedy.
func Check() error {
	if runtime.GOARCH != "amd64" {
		return fmt.Errorf("virtual machines of the local Azure are for amd64, not for %s", runtime.GOARCH)
	}
	err := hostcmd.Require(hostcmd.Tool{Name: emulator, Package: "qemu-system-x86"}, hostcmd.Tool{Name: "qemu-img", Package: "qemu-utils"},
		hostcmd.Tool{Name: "slirp4netns", Package: "slirp4netns"}, hostcmd.Tool{Name: "mmdebstrap", Package: "mmdebstrap"},
		hostcmd.Tool{Name: "mke2fs", Package: "e2fsprogs"}, hostcmd.Tool{Name: "ip", Package: "iproute2"},
		hostcmd.Tool{Name: "nft", Package: "nftables"}, hostcmd.Tool{Name: "nsenter", Package: "util-linux"},
		hostcmd.Tool{Name: "apt-config", Package: "apt"})
	if err != nil {
		return err
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		return fmt.Errorf("virtual machines have no network here (load the kernel's module with modprobe tun): %w", err)
	}
	return nil
}

// Name is "qemu".
func (h *hypervisor) Name() string { return "qemu" }

// About tells how machines run: "kvm", or emulated and why.
func (h *hypervisor) About() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.accelerator.String()
}

// Image makes a disk, and finds out what its kernel can run on.
func (h *hypervisor) Image(ctx context.Context, kind guestimage.Kind, progress func(string)) (string, error) {
	disk, err := h.images.EnsureDisk(ctx, kind, progress)
	if err != nil {
		return "", err
	}
	h.accelerate(ctx, disk, progress)
	return string(disk), ctx.Err()
}

// accelerate finds out, once, what a disk's kernel can run on.
func (h *hypervisor) accelerate(ctx context.Context, disk guestimage.Disk, progress func(string)) accelerator {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.accelerator.Name != "" {
		return h.accelerator
	}
	found := findAccelerator(ctx, disk, progress)
	if ctx.Err() == nil {
		h.accelerator = found
		h.Log.Info("virtual machines run", "on", found.String())
	}
	return found
}

// Registry serves what was made along with the images.
func (h *hypervisor) Registry(ctx context.Context) (http.Handler, error) {
	return h.images.Registry(ctx)
}

// Open has nothing to make that all machines share but a directory.
func (h *hypervisor) Open(context.Context) error {
	if err := os.MkdirAll(h.dir(""), 0o700); err != nil {
		return fmt.Errorf("make the directory of the virtual machines: %w", err)
	}
	return nil
}

func (h *hypervisor) dir(key string) string { return filepath.Join(h.Dir, "machines", key) }

type role string

const (
	roleMachine role = "machine"
	roleRouter  role = "router"
)

// object names a network namespace and what runs for it. A process that is to be found
// again has the name among its arguments.
func (h *hypervisor) object(r role, key string) string {
	return fmt.Sprintf("azlocal-%s-%s-%s", h.ID, r, key)
}

// key of something that is named by object; ok is false for what is not this instance's.
func (h *hypervisor) key(name string) (key string, ok bool) {
	for _, r := range []role{roleMachine, roleRouter} {
		if key, ok = strings.CutPrefix(name, h.object(r, "")); ok {
			return key, true
		}
	}
	return "", false
}

// RemoveOthers looks at processes, namespaces and directories.
func (h *hypervisor) RemoveOthers(ctx context.Context, keep map[string]bool) error {
	failed := []error{process.End(ctx, func(args []string) bool {
		key, ok := h.key(objectOf(args))
		return ok && !keep[key]
	})}
	spaces, err := namespaces()
	failed = append(failed, err)
	for _, name := range spaces {
		if key, ok := h.key(name); ok && !keep[key] {
			failed = append(failed, removeNamespace(ctx, name))
		}
	}
	entries, err := os.ReadDir(h.dir(""))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		failed = append(failed, err)
	}
	for _, entry := range entries {
		if !keep[entry.Name()] {
			failed = append(failed, os.RemoveAll(h.dir(entry.Name())))
		}
	}
	return errors.Join(failed...)
}

// RemoveAll removes the directory too.
func (h *hypervisor) RemoveAll(ctx context.Context) error {
	return errors.Join(h.RemoveOthers(ctx, nil), os.RemoveAll(h.dir("")))
}
