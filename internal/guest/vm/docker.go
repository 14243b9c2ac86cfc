package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// maxOutput is how much of what docker prints is kept: more than any answer of the engine
// that we ask for, less than a hostile image could print.
const maxOutput = 1 << 20

// docker runs the docker command and returns its output.
func docker(ctx context.Context, args ...string) (string, error) {
	var out limited
	err := dockerTo(ctx, &out, args...)
	return strings.TrimSpace(out.String()), err
}

// dockerTo runs the docker command with its standard output going to out. The error holds
// the last line that docker said.
func dockerTo(ctx context.Context, out io.Writer, args ...string) error {
	var said limited
	command := exec.CommandContext(ctx, "docker", args...)
	command.Stdout, command.Stderr = out, &said
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	err := command.Run()
	if ctx.Err() != nil {
		return fmt.Errorf("docker %s: %w", args[0], context.Cause(ctx))
	}
	if err != nil {
		return &dockerError{args[0], said.String(), err}
	}
	return nil
}

// dockerError is a docker command that failed.
type dockerError struct {
	verb string
	said string // standard error
	err  error
}

func (e *dockerError) Error() string {
	return fmt.Sprintf("docker %s: %v: %s", e.verb, e.err, lastLine(e.said))
}

func (e *dockerError) Unwrap() error { return e.err }

// stderrOf returns what a docker command said on standard error, "" when it did not fail.
func stderrOf(err error) string {
	if failed, ok := errors.AsType[*dockerError](err); ok {
		return failed.said
	}
	return ""
}

// exitCode returns with what code docker ended, -1 if it did not run.
func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return -1
}

// container is what the engine knows of a container, as far as we ask.
type container struct {
	ID    string `json:"Id"`
	State struct {
		Status string // created, running, paused, restarting, removing, exited or dead
	}
	Config struct{ Labels map[string]string }
}

// inspect returns nil for a container that does not exist.
func inspect(ctx context.Context, name string) (*container, error) {
	out, err := docker(ctx, "container", "inspect", "--format", "{{json .}}", name)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c container
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		return nil, fmt.Errorf("read what docker says of %s: %w", name, err)
	}
	return &c, nil
}

// imageID returns "" for an image that is not on this machine.
func imageID(ctx context.Context, image string) (string, error) {
	out, err := docker(ctx, "image", "inspect", "--format", "{{json .Id}}", image)
	if absent(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var id string
	if err := json.Unmarshal([]byte(out), &id); err != nil {
		return "", fmt.Errorf("read what docker says of %s: %w", image, err)
	}
	return id, nil
}

// absent tells whether docker said that there is no such thing.
func absent(err error) bool {
	said := strings.ToLower(stderrOf(err))
	return strings.Contains(said, "no such container") || strings.Contains(said, "no such image")
}

// limited keeps the first maxOutput bytes and forgets the rest.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), max(0, maxOutput-l.Len()))])
	return len(p), nil
}
