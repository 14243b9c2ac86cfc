package vm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

const (
	enginePoll = 300 * time.Millisecond
	// cloudInitPoll is slower: the question costs a Python start, half a second of a small VM.
	cloudInitPoll = 10 * time.Second
)

// waitEngine waits until cloud-init has installed Docker and the engine answers. It fails
// within a second of the installation's failure.
func (h *host) waitEngine(ctx context.Context, phase func(string)) error {
	ctx, done := agent.Within(ctx, agent.DeadlineDocker, "installing Docker")
	defer done(nil)
	tick := time.NewTicker(enginePoll)
	defer tick.Stop()
	said, asked := "", time.Now()
	for {
		if failed, err := os.ReadFile(h.inRun(hostsetup.FileSetupFailed)); err == nil {
			return &ctl.Error{Code: ctl.CodeFailed, Message: "the machine could not be set up: " + firstLine(string(failed)), Detail: lastLines(string(failed), 20)}
		}
		if h.setUp() {
			if _, err := docker(ctx, "version", "--format", "{{json .Server.Version}}"); err == nil {
				return nil
			}
		} else if time.Since(asked) > cloudInitPoll {
			asked = time.Now()
			if err := h.cloudInitOver(ctx); err != nil {
				return err
			}
		}
		if now := h.phase(); now != said {
			said = now
			phase(now)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for Docker (%s): %w", h.phase(), context.Cause(ctx))
		}
	}
}

// setUp tells whether the setup script has once succeeded: from then on Docker starts
// behind the guard at every boot.
func (h *host) setUp() bool {
	_, err := os.Stat(filepath.Join(h.state, hostsetup.FileSetupDone))
	return err == nil
}

// phase is what the setup script does now.
func (h *host) phase() string {
	content, err := os.ReadFile(h.inRun(hostsetup.FilePhase))
	if err != nil {
		return "waiting for cloud-init"
	}
	return firstLine(string(content))
}

// cloudInitOver fails when nothing is left that could still install Docker.
func (h *host) cloudInitOver(ctx context.Context) error {
	// Both commands tell by their output; their exit codes say the same and more.
	status, _ := exec.CommandContext(ctx, "cloud-init", "status").Output()
	switch {
	case strings.Contains(string(status), "done"), strings.Contains(string(status), "error"):
	default:
		return nil
	}
	unit, _ := exec.CommandContext(ctx, "systemctl", "is-active", hostsetup.Setup).Output()
	if state := strings.TrimSpace(string(unit)); state == "activating" || state == "active" || h.setUp() {
		return nil
	}
	log, _ := os.ReadFile(h.log)
	return &ctl.Error{
		Code:    ctl.CodeFailed,
		Message: "cloud-init has ended without installing Docker (" + firstLine(string(status)) + ")",
		Detail:  lastLines(string(log[max(0, len(log)-8<<10):]), 20),
	}
}

func (h *host) inRun(name string) string { return filepath.Join(h.run, name) }

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return plain.Line(line, 200)
}
