package qemu

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/netns"
	"mngr/internal/azlocal/machine/process"
)

// namespaceDir is where ip(8) keeps named network namespaces, which need no process.
const namespaceDir = "/run/netns"

func namespaces() ([]string, error) {
	entries, err := os.ReadDir(namespaceDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list network namespaces: %w", err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

func namespaceFile(name string) string { return filepath.Join(namespaceDir, name) }

func removeNamespace(ctx context.Context, name string) error {
	if _, err := os.Stat(namespaceFile(name)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, err := hostcmd.Run(ctx, "ip", "netns", "delete", name)
	return err
}

// ensureNamespace opens a namespace, and makes it if need be. Where /run outlives a boot of
// the computer there may be a file of its name with nothing behind it.
func ensureNamespace(ctx context.Context, name string) (*netns.Namespace, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(namespaceFile(name), &fs); err != nil || fs.Type != unix.NSFS_MAGIC {
		if err := removeNamespace(ctx, name); err != nil {
			return nil, err
		}
		if _, err := hostcmd.Run(ctx, "ip", "netns", "add", name); err != nil {
			return nil, err
		}
	}
	return netns.Open(namespaceFile(name))
}

// Namespace has one name for the life of the machine.
func (h *hypervisor) Namespace(ctx context.Context, spec machine.Spec, renew bool) (*netns.Namespace, error) {
	name := h.object(roleMachine, spec.Key)
	if renew {
		if err := removeNamespace(ctx, name); err != nil {
			return nil, err
		}
	}
	return ensureNamespace(ctx, name)
}

// CableEnd leads the cable to the tap device; the guest configures its own end.
func (h *hypervisor) CableEnd(fabric.Port) string { return fabric.BridgeSide() }

// OwnLoopback is true: the guest has a kernel of its own.
func (h *hypervisor) OwnLoopback() bool { return true }

// uplinks is the range behind every router, which no virtual network of Azure's can have
// (RFC 6890: IETF protocol assignments).
var uplinks = netip.MustParsePrefix("192.0.0.0/24")

// Outside is the same for every network: they do not share it.
func (h *hypervisor) Outside(context.Context) (netip.Prefix, error) { return uplinks, nil }

// Router is a namespace with a user-mode network stack at its Uplink.
func (h *hypervisor) Router(ctx context.Context, key string) (*netns.Namespace, error) {
	name := h.object(roleRouter, key)
	ns, err := ensureNamespace(ctx, name)
	if err != nil {
		return nil, err
	}
	running, err := process.Find(func(args []string) bool { return objectOf(args) == name })
	for _, p := range running {
		p.Close()
	}
	if err == nil && len(running) == 0 {
		err = h.startUplink(ctx, key)
	}
	if err != nil {
		ns.Close()
		return nil, err
	}
	return ns, nil
}

// startUplink returns when the uplink is there. The process outlives this one.
func (h *hypervisor) startUplink(ctx context.Context, key string) error {
	dir := h.dir(key)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ready, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	// Its sandbox would unmount every named namespace, for this process too.
	cmd := exec.Command("unshare", append([]string{"--mount", "--propagation=slave", "--", "slirp4netns"},
		uplinkArgs(namespaceFile(h.object(roleRouter, key)))...)...)
	cmd.ExtraFiles = []*os.File{tell}
	uplink, err := process.Detach(cmd, filepath.Join(dir, "uplink.log"))
	tell.Close()
	if err != nil {
		return fmt.Errorf("start the uplink of a network: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { ready.Close() })
	defer stop()
	if n, _ := ready.Read(make([]byte, 1)); n == 1 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	<-uplink.Ended
	return fmt.Errorf("start the uplink of a network: %w", uplink.Failure())
}

func uplinkArgs(namespace string) []string {
	return []string{"--configure", "--mtu=65520", "--cidr=" + uplinks.String(), "--disable-host-loopback", "--disable-dns",
		"--enable-sandbox", "--enable-seccomp", "--ready-fd=3", "--netns-type=path", namespace, fabric.Uplink}
}

// RemoveRouter ends the uplink first.
func (h *hypervisor) RemoveRouter(ctx context.Context, key string) error {
	return h.remove(ctx, h.object(roleRouter, key), key)
}

func (h *hypervisor) remove(ctx context.Context, name, key string) error {
	if err := process.End(ctx, func(args []string) bool { return objectOf(args) == name }); err != nil {
		return err
	}
	return errors.Join(removeNamespace(ctx, name), os.RemoveAll(h.dir(key)))
}
