//go:build linux

package escape

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelCalls are what only the machine's root may ask of the kernel. Where a call would do
// harm on a machine that grants it, its arguments are wrong on purpose: the kernel looks at
// the right first, and any other error than EPERM shows that it was there.
func kernelCalls() map[string]func() error {
	return map[string]func() error{
		"mount tmpfs":     func() error { return mountOn("tmpfs", 0) },
		"mount proc":      func() error { return mountOn("proc", 0) },
		"mount cgroup":    func() error { return mountOn("cgroup2", 0) },
		"remount guest":   func() error { return remount("/opt/mngr") },
		"mount namespace": func() error { return unix.Unshare(unix.CLONE_NEWNS) },
		"user namespace":  userNamespace,
		"keyring": func() error {
			_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, true)
			return err
		},
		"bpf program": func() error { return granted(badCall(unix.SYS_BPF, 5, 0, 0)) },
		"open by handle": func() error {
			_, err := unix.OpenByHandleAt(unix.AT_FDCWD, unix.NewFileHandle(1, make([]byte, 8)), unix.O_RDONLY)
			return granted(err)
		},
		"reboot":        func() error { return granted(badCall(unix.SYS_REBOOT, 0, 0, 0)) },
		"swap":          func() error { return granted(badCall(unix.SYS_SWAPOFF, 0, 0, 0)) },
		"network admin": setFlags,
		"host name":     setHostName,
	}
}

// onThread runs a call on a thread of its own, which ends with it and takes along what it
// has unshared.
func onThread(call func() error) error {
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		ended <- call()
	}()
	return <-ended
}

func granted(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EACCES) {
		return err
	}
	return nil
}

func badCall(number, a, b, c uintptr) error {
	if _, _, errno := unix.Syscall(number, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

func mountOn(kind string, flags uintptr) error {
	dir, err := os.MkdirTemp("", "escape-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := unix.Mount("escape", dir, kind, flags, ""); err != nil {
		return err
	}
	return unix.Unmount(dir, unix.MNT_DETACH)
}

// remount makes a mount writable. On the machine, where there is none, it makes one first.
func remount(dir string) error {
	if _, err := os.Stat(dir); err != nil {
		if dir, err = os.MkdirTemp("", "escape-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := unix.Mount(dir, dir, "", unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return err
		}
		defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND, ""); err != nil {
		return err
	}
	return openFor(filepath.Join(dir, "escape"), os.O_WRONLY|os.O_CREATE)
}

// userNamespace asks for a namespace in which it would have every capability. Only a process
// of one thread gets one; a right that is missing is told before that is looked at.
func userNamespace() error {
	return granted(unix.Unshare(unix.CLONE_NEWUSER))
}

// setFlags sets the flags of the loopback device to what they are.
func setFlags() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	for _, call := range []uintptr{unix.SIOCGIFFLAGS, unix.SIOCSIFFLAGS} {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), call, uintptr(unsafe.Pointer(request))); errno != 0 { //nolint:gosec // as the ioctl wants it
			return errno
		}
	}
	return nil
}

// setHostName gives the machine the name that it has.
func setHostName() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	return unix.Sethostname([]byte(name))
}
