// Package hostcmd runs the tools of the host that the drivers stand on (docker, qemu,
// ip, nft, mmdebstrap), always with arguments as a slice, and turns their failure into an error
// of one line. Only packages under internal/azlocal/machine import it.
package hostcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Error is a tool that ended with a code other than 0.
type Error struct {
	Tool   string // name and, if there is one, its first argument: "docker run"
	Code   int
	Stderr string
}

// Error gives the tool and what it complained of.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: exit %d: %s", e.Tool, e.Code, complaint(e.Stderr))
}

// complaint picks the first error as apt's family and nft mark it; others say it last.
func complaint(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	for _, line := range lines {
		for _, mark := range []string{"E: ", "Error: "} {
			if _, text, ok := strings.Cut(line, mark); ok {
				return text
			}
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// Says reports whether err is a tool's failure whose complaint contains text, in any case.
func Says(err error, text string) bool {
	failed, ok := errors.AsType[*Error](err)
	return ok && strings.Contains(strings.ToLower(failed.Stderr), strings.ToLower(text))
}

// Run runs a tool and returns its standard output without the surrounding white space.
func Run(ctx context.Context, name string, args ...string) (string, error) {
	return Feed(ctx, nil, name, args...)
}

// Feed is Run with standard input.
func Feed(ctx context.Context, stdin io.Reader, name string, args ...string) (string, error) {
	var stdout bytes.Buffer
	if err := run(ctx, 0, stdin, &stdout, name, args...); err != nil {
		return "", err
	}
	return strings.TrimSpace(stdout.String()), nil
}

// Follow runs a tool that has no end of its own, with standard output going to a writer as
// it comes. The tool ends with ctx, and also with this process when that is killed.
func Follow(ctx context.Context, stdout io.Writer, name string, args ...string) error {
	// To the kernel, a process is the child of the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return run(ctx, syscall.SIGKILL, nil, stdout, name, args...)
}

// run sends the tool a signal, if that is not 0, when the thread of the caller ends.
func run(ctx context.Context, orphaned syscall.Signal, stdin io.Reader, stdout io.Writer, name string, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	// A terminal's Ctrl-C is for us: we end our tools ourselves.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: orphaned}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if err == nil {
		return nil
	}
	tool := name
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		tool += " " + args[0]
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", tool, context.Cause(ctx))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &Error{Tool: tool, Code: exit.ExitCode(), Stderr: stderr.String()}
	}
	return fmt.Errorf("%s: %w", tool, err)
}
