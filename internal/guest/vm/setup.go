package vm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

// setupLock is held by whoever makes the container.
const setupLock = "setup.lock"

// specLabel holds the hash of what a container was made from.
const specLabel = "mngr-spec"

// setup brings the container up. Repeated with the same Setup it changes nothing; other
// authorized keys and another idle rule are written, anything else that differs is refused.
func (h *host) setup(ctx context.Context, setup ctl.Setup, phase func(string)) (result *ctl.SetupResult, err error) {
	if err := checkSetup(setup); err != nil {
		return nil, err
	}
	unlock, err := h.lockSetup(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := os.RemoveAll(h.buildDir()); err != nil {
		return nil, fmt.Errorf("remove what a build left: %w", err)
	}
	if err := h.waitEngine(ctx, phase); err != nil {
		return nil, err
	}
	ctx, done := agent.Within(ctx, agent.DeadlineContainer, "making the container")
	defer done(&err)
	result, err = h.makeContainer(ctx, setup, phase)
	if err != nil {
		return nil, err
	}
	return result, h.bringUp(ctx, setup, phase)
}

func (h *host) lockSetup(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(h.run, 0o755); err != nil {
		return nil, err
	}
	unlock, err = lock(ctx, h.inRun(setupLock))
	if err != nil {
		return nil, fmt.Errorf("wait for another setup: %w", err)
	}
	return unlock, nil
}

// makeContainer writes the host's files and makes the container unless it exists.
func (h *host) makeContainer(ctx context.Context, setup ctl.Setup, phase func(string)) (*ctl.SetupResult, error) {
	old, err := h.readRecord()
	if err != nil {
		return nil, err
	}
	if old != nil && old.Setup.HostID != setup.HostID {
		return nil, &ctl.Error{Code: ctl.CodeExists, Message: "this machine already belongs to " + plain.Line(old.Setup.HostID, 80)}
	}
	key, err := h.writeGuest(setup)
	if err != nil {
		return nil, err
	}
	made := record{Setup: setup, ContainerHostKey: key}
	if old != nil {
		made.Installed = old.Installed
	}
	exists, err := h.keepContainer(ctx, setup)
	if err != nil {
		return nil, err
	}
	if !exists {
		if made.Installed, err = h.createContainer(ctx, setup, phase); err != nil {
			return nil, err
		}
	}
	c, err := inspect(ctx, h.container)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, fmt.Errorf("the container %s has vanished", h.container)
	}
	made.ContainerID = c.ID
	if err := h.writeRecord(made); err != nil {
		return nil, err
	}
	return &ctl.SetupResult{ContainerHostKey: key, ContainerID: c.ID, Installed: made.Installed}, nil
}

// keepContainer tells whether the container exists and is the one that setup asks for. One
// that never ran may go; any other may hold work and is not touched.
func (h *host) keepContainer(ctx context.Context, setup ctl.Setup) (bool, error) {
	c, err := inspect(ctx, h.container)
	if err != nil || c == nil {
		return false, err
	}
	if c.Config.Labels[specLabel] == h.spec(setup) {
		return true, nil
	}
	if c.State.Status != "created" {
		return false, &ctl.Error{Code: ctl.CodeExists, Message: "this host's container was made from another image, port or start arguments"}
	}
	_, err = docker(ctx, "rm", h.container)
	return false, err
}

func (h *host) createContainer(ctx context.Context, setup ctl.Setup, phase func(string)) (installed []string, err error) {
	image, installed, err := h.completeImage(ctx, setup.Image, phase)
	if err != nil {
		return nil, err
	}
	phase("making the container")
	args := []string{"create", "--label", specLabel + "=" + h.spec(setup)}
	_, err = docker(ctx, append(args, h.runArgs(setup, image)...)...)
	return installed, err
}

func (h *host) runArgs(setup ctl.Setup, image string) []string {
	return hostsetup.RunArgs(hostsetup.Container{
		Name: h.container, Volume: h.volume, GuestDir: h.guest(""), SignalDir: h.signal,
		Image: image, HostID: setup.HostID, HostName: setup.HostName, Provider: setup.Provider,
		SSHPort: setup.SSHPort, StartArgs: setup.StartArgs,
	})
}

// spec identifies what the container is made from, by what was asked for: a tag that has
// moved on in its registry makes no difference.
func (h *host) spec(setup ctl.Setup) string {
	// Strings always marshal.
	content, _ := json.Marshal(h.runArgs(setup, setup.Image))
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// bringUp has systemd run the container and waits until it serves.
func (h *host) bringUp(ctx context.Context, setup ctl.Setup, phase func(string)) error {
	if err := h.start(); err != nil {
		return err
	}
	phase("starting the container")
	if err := h.service(ctx); err != nil {
		return err
	}
	ctx, done := agent.Within(ctx, agent.DeadlineGuestSSH, "waiting for the container's SSH server")
	defer done(nil)
	err := waitSSH(ctx, setup.SSHPort)
	if err == nil {
		return nil
	}
	return &ctl.Error{Code: ctl.CodeFailed, Message: "the container does not serve SSH: " + err.Error(), Detail: h.said(context.WithoutCancel(ctx))}
}

// said is the end of what the container said on both streams.
func (h *host) said(ctx context.Context) string {
	ctx, done := agent.Within(ctx, agent.DeadlineGuestReply, "reading the container's log")
	defer done(nil)
	out, _ := exec.CommandContext(ctx, "docker", "logs", "--tail", "10", h.container).CombinedOutput()
	return lastLines(string(out), 10)
}

// imagePattern is what docker takes for an image; it never begins like a flag.
var imagePattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._/:@-]*$`)

// checkSetup refuses what no honest client sends.
func checkSetup(s ctl.Setup) error {
	if _, err := agent.ParseHostID(s.HostID); err != nil {
		return usage("%v", err)
	}
	if !imagePattern.MatchString(s.Image) {
		return usage("%q is no image", s.Image)
	}
	if s.SSHPort < 1 || s.SSHPort > 65535 || s.SSHPort == 22 {
		return usage("port %d cannot be published for SSH", s.SSHPort)
	}
	if s.Idle.TimeoutSeconds < 0 {
		return usage("an idle timeout of %d s", s.Idle.TimeoutSeconds)
	}
	if len(s.AuthorizedKeys) == 0 {
		return usage("no authorized key: nobody could log in")
	}
	for _, key := range s.AuthorizedKeys {
		if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key)); err != nil || strings.ContainsAny(key, "\r\n") {
			return usage("%q is no authorized key", key)
		}
	}
	return nil
}
