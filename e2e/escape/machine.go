//go:build linux

package escape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// machine are the ways to the machine's files, processes and devices. They work on the
// machine, and the kernel keeps them from a container.
func machine() map[string]func(context.Context, targets) error {
	ways := map[string]func(context.Context, targets) error{
		"docker socket":     func(_ context.Context, t targets) error { return dialUnix(t, "/var/run/docker.sock") },
		"containerd socket": func(_ context.Context, t targets) error { return dialUnix(t, "/run/containerd/containerd.sock") },
		"abstract socket":   func(_ context.Context, t targets) error { return dialUnix(t, abstract) },
		"vm loopback":       func(ctx context.Context, t targets) error { return ask(ctx, t, "tcp", "127.0.0.1:"+port) },
		"vm process":        func(context.Context, targets) error { return traceServer() },
		"vm records":        func(context.Context, targets) error { return readAny("/var/lib/mngr/host.json") },
		"vm host key":       func(context.Context, targets) error { return readAny("/etc/ssh/ssh_host_ed25519_key") },
		"vm custom data":    func(context.Context, targets) error { return readAny("/var/lib/cloud/instance/user-data.txt") },
		"vm authorized keys": func(context.Context, targets) error {
			return openAny("/root/.ssh/authorized_keys", os.O_WRONLY|os.O_APPEND)
		},
		"guest directory": func(_ context.Context, t targets) error { return makeIn(t.guest) },
		"mngrd itself": func(_ context.Context, t targets) error {
			return openFor(filepath.Join(t.guest, "mngrd.new"), os.O_WRONLY|os.O_CREATE)
		},
		"core pattern":       func(context.Context, targets) error { return openFor("/proc/sys/kernel/core_pattern", os.O_WRONLY) },
		"sysctl of network":  func(context.Context, targets) error { return openFor("/proc/sys/net/ipv4/ip_forward", os.O_WRONLY) },
		"cgroup files":       func(context.Context, targets) error { return makeInCgroup() },
		"signals: device":    func(_ context.Context, t targets) error { return deviceIn(t.signals) },
		"signals: program":   func(_ context.Context, t targets) error { return programIn(t.signals) },
		"signals: huge file": func(_ context.Context, t targets) error { return hugeIn(t.signals) },
	}
	for name, call := range kernelCalls() {
		ways[name] = func(context.Context, targets) error { return onThread(call) }
	}
	return ways
}

// computer are the ways to devices. A machine that is a container itself has few of them:
// they work on the computer that plays Azure.
func computer() map[string]func(context.Context, targets) error {
	return map[string]func(context.Context, targets) error{
		"block device":      func(context.Context, targets) error { return openDevice(unix.S_IFBLK, blockDevice) },
		"kernel log device": func(context.Context, targets) error { return openDevice(unix.S_IFCHR, unix.Mkdev(1, 11)) },
	}
}

func dialUnix(t targets, address string) error {
	conn, err := (&net.Dialer{Timeout: t.patience}).Dial("unix", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// roots are the doors through which a process may see another's files.
var roots = []string{"", "/proc/1/root", "/proc/self/root/../..", "/proc/thread-self/cwd/../../../..", "/opt/mngr/../../..", "/run/mngr-signal/../../.."}

// openAny got through when one of the doors leads to path.
func openAny(path string, flags int) error {
	var all error
	for _, root := range roots {
		err := openFor(root+path, flags)
		if err == nil {
			return nil
		}
		all = errors.Join(all, err)
	}
	return all
}

func readAny(path string) error { return openAny(path, os.O_RDONLY) }

// openFor opens without writing: a machine that this works on must live on.
func openFor(path string, flags int) error {
	_, err := os.Lstat(path)
	made := errors.Is(err, fs.ErrNotExist)
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return err
	}
	if made && flags&os.O_CREATE != 0 {
		_ = os.Remove(path)
	}
	return file.Close()
}

func makeIn(dir string) error {
	file, err := os.CreateTemp(dir, "escape-")
	if err != nil {
		return err
	}
	_ = os.Remove(file.Name())
	return file.Close()
}

// makeInCgroup makes a control group, whose release agent the machine would run.
func makeInCgroup() error {
	all := errors.New("no hierarchy of control groups")
	for _, name := range []string{"", "unified", "memory", "pids", "devices", "systemd"} {
		dir := filepath.Join("/sys/fs/cgroup", name)
		var kind unix.Statfs_t
		if err := unix.Statfs(dir, &kind); err != nil || kind.Type != unix.CGROUP_SUPER_MAGIC && kind.Type != unix.CGROUP2_SUPER_MAGIC {
			continue // such as the container's own tmpfs above them
		}
		made := filepath.Join(dir, "escape-"+strconv.Itoa(os.Getpid()))
		err := os.Mkdir(made, 0o700)
		if err == nil {
			return os.Remove(made)
		}
		all = errors.Join(all, err)
	}
	return all
}

// traceServer finds serve among the processes and holds it like a debugger.
func traceServer() error {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, name := range lines {
		line, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(line, []byte("escape\x00serve\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return err
		}
		return onThread(func() error {
			if err := unix.PtraceSeize(pid); err != nil {
				return err
			}
			return unix.PtraceInterrupt(pid)
		})
	}
	return fmt.Errorf("not among %d processes", len(lines))
}

// openDevice makes a node for a device and opens it.
func openDevice(kind uint32, device uint64) error {
	dir, err := os.MkdirTemp("", "escape-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	node := filepath.Join(dir, "node")
	if err := unix.Mknod(node, kind|0o600, int(device)); err != nil { //nolint:gosec // a device's number
		return err
	}
	return openFor(node, os.O_RDONLY)
}

// blockDevice is the first loop device, which every machine has: what holds its disk goes by
// many names.
const blockDevice = 7 << 8

// deviceIn plants a device that everybody may open, where devices do not count.
func deviceIn(dir string) error {
	node := filepath.Join(dir, "escape-null")
	if err := unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil { //nolint:gosec // a device's number
		return err
	}
	defer os.Remove(node)
	return openFor(node, os.O_RDONLY)
}

func programIn(dir string) error {
	file := filepath.Join(dir, "escape-program")
	if err := os.WriteFile(file, []byte("#!/bin/true\n"), 0o700); err != nil { //nolint:gosec // it is meant to be run
		return err
	}
	defer os.Remove(file)
	return exec.Command(file).Run() // our own file, which ends at once
}

func hugeIn(dir string) error {
	file := filepath.Join(dir, "escape-huge")
	defer os.Remove(file)
	return os.WriteFile(file, make([]byte, 1<<20), 0o600)
}
