// Package process finds long-lived helpers by the arguments they were started with, and
// holds on to them: a number alone may have gone to somebody else. There are no pid files,
// which a crash leaves behind and a deleted directory takes along. Only packages under
// internal/azlocal/machine import it.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Process is a process that ran when it was found.
type Process struct {
	Args []string
	file *os.File // of pidfd_open(2)
}

// Find returns this user's processes whose arguments match: others may choose theirs as
// they like. Each wants Close.
func Find(match func(args []string) bool) ([]*Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var all []*Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !match(arguments(pid)) {
			continue
		}
		if p := open(pid, match); p != nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// open returns nil when the process has ended: once it is held, its number is its own.
func open(pid int, match func(args []string) bool) *Process {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	args := arguments(pid)
	if !match(args) || !mine(pid) {
		file.Close()
		return nil
	}
	return &Process{Args: args, file: file}
}

// mine tells whether this user has started a process: the real user id, which stays the
// same where a program takes on another's rights, is the first one.
func mine(pid int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if ids, ok := strings.CutPrefix(line, "Uid:"); ok {
			f := strings.Fields(ids)
			return len(f) > 0 && f[0] == strconv.Itoa(os.Getuid())
		}
	}
	return false
}

// arguments of a process; none for a kernel's, or one that has ended.
func arguments(pid int) []string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(string(bytes.TrimSuffix(data, []byte{0})), "\x00")
}

// Close lets go of the process, which goes on.
func (p *Process) Close() error { return p.file.Close() }

// Kill ends the process at once. One that has ended is fine.
func (p *Process) Kill() error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var refused error
	err = raw.Control(func(fd uintptr) { refused = unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0) })
	if refused != nil && !errors.Is(refused, unix.ESRCH) {
		return fmt.Errorf("kill a process: %w", refused)
	}
	return err
}

// Wait returns when the process has ended, or with ctx's cause.
func (p *Process) Wait(ctx context.Context) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	if err := p.file.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	err = raw.Read(ended)
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	return err
}

// ended tells whether the process of a pidfd has: it is readable then.
func ended(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a file descriptor
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}

// End kills the processes whose arguments match and returns when they have ended.
func End(ctx context.Context, match func(args []string) bool) error {
	all, err := Find(match)
	if err != nil {
		return err
	}
	var failed []error
	for _, p := range all {
		if err := p.Kill(); err != nil {
			failed = append(failed, err)
		} else {
			failed = append(failed, p.Wait(ctx))
		}
		p.Close()
	}
	return errors.Join(failed...)
}
