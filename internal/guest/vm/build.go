package vm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/plain"
)

// buildLabel holds the hash of the arguments that an image was built with.
const buildLabel = "mngr-build"

// Names in the stream of a build, and in the directory that it is unpacked into.
const (
	buildContext = "context"
	dockerfile   = "Dockerfile"
)

func (h *host) buildDir() string { return filepath.Join(h.state, "build") }

// removeAbandonedBuild removes what a build left that ended with the machine.
func (h *host) removeAbandonedBuild(ctx context.Context) {
	once, cancel := context.WithCancel(ctx)
	cancel()
	unlock, err := lock(once, h.inRun(setupLock))
	if err != nil {
		return // a build is under way
	}
	defer unlock()
	_ = os.RemoveAll(h.buildDir())
}

// build makes the host's image of the stream that follows the request, unless an earlier
// build with the same arguments came to its end.
func (h *host) build(ctx context.Context, b ctl.Build, stream io.Reader, out io.Writer, phase func(string)) (*ctl.BuildResult, error) {
	if _, err := agent.ParseHostID(b.HostID); err != nil {
		return nil, usage("%v", err)
	}
	unlock, err := h.lockSetup(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if h.setUp() {
		if err := h.waitEngine(ctx, phase); err != nil {
			return nil, err
		}
		built, err := h.built(ctx, b)
		if err != nil || built || !b.Send {
			return &ctl.BuildResult{Built: built}, err
		}
	}
	if !b.Send {
		return &ctl.BuildResult{}, nil // a machine without Docker has no image
	}
	defer func() { _ = os.RemoveAll(h.buildDir()) }()
	if err := h.receive(stream); err != nil {
		return nil, fmt.Errorf("receive the build context: %w", err)
	}
	if err := h.waitEngine(ctx, phase); err != nil {
		return nil, err
	}
	phase("building the image")
	return &ctl.BuildResult{Built: true}, h.dockerBuild(ctx, b, out)
}

// receive unpacks the stream; it takes whole what it takes.
func (h *host) receive(stream io.Reader) error {
	if err := os.RemoveAll(h.buildDir()); err != nil {
		return err
	}
	if err := os.MkdirAll(h.buildDir(), 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(h.buildDir())
	if err != nil {
		return err
	}
	defer root.Close()
	return unpack(stream, root)
}

// built tells whether the host's image exists and was made with these arguments.
func (h *host) built(ctx context.Context, b ctl.Build) (bool, error) {
	format := `{{index .Config.Labels "` + buildLabel + `"}}`
	label, err := docker(ctx, "image", "inspect", "--format", format, ctl.BuiltImage(b.HostID))
	if absent(err) {
		return false, nil
	}
	return err == nil && label == buildSum(b), err
}

// buildSum identifies a build by what was asked for. Values of the environment are not in
// it: a label is no place for a hash of a secret.
func buildSum(b ctl.Build) string {
	// Strings always marshal.
	content, _ := json.Marshal([][]string{b.Args, b.Secrets})
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// saidLines is how much of a failed build's output goes into the answer.
const saidLines = 20

func (h *host) dockerBuild(ctx context.Context, b ctl.Build, out io.Writer) error {
	ctx, done := agent.Within(ctx, agent.DeadlineBuild, "docker build")
	defer done(nil)
	said := &relay{to: out, prefix: ctl.OutputPrefix, keep: saidLines, hidden: hidden(b)}
	command := exec.CommandContext(ctx, "docker", h.buildArgs(b)...)
	command.Env = append(os.Environ(), "DOCKER_BUILDKIT="+buildKit(ctx))
	for _, name := range slices.Sorted(maps.Keys(b.Env)) {
		command.Env = append(command.Env, name+"="+b.Env[name])
	}
	command.Stdout, command.Stderr = said, said
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	err := command.Run()
	said.flush()
	switch exit, exited := errors.AsType[*exec.ExitError](err); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case exited:
		return &ctl.Error{
			Code:    ctl.CodeBuild,
			Message: fmt.Sprintf("docker build ended with code %d: %s", exit.ExitCode(), plain.Line(said.last(), 300)),
			Detail:  strings.Join(said.lines, "\n"),
		}
	}
	return fmt.Errorf("docker build: %w", err)
}

// hidden are the build arguments' values that their user kept out of the command line: docker
// shows the commands of a Dockerfile with their arguments filled in.
func hidden(b ctl.Build) []string {
	var values []string
	for _, value := range b.Env {
		for line := range strings.SplitSeq(value, "\n") {
			if line = strings.TrimSpace(line); len(line) >= leastHidden {
				values = append(values, line)
			}
		}
	}
	// A value may be a part of another one.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	return values
}

// leastHidden keeps a value such as "1" from blotting out half of the output.
const leastHidden = 4

// buildArgs puts our flags behind the user's, so that ours count.
func (h *host) buildArgs(b ctl.Build) []string {
	args := append([]string{"build"}, b.Args...)
	for i, id := range b.Secrets {
		args = append(args, "--secret=id="+id+",src="+filepath.Join(h.buildDir(), "secret-"+strconv.Itoa(i)))
	}
	return append(args,
		"--label="+buildLabel+"="+buildSum(b), "--tag="+ctl.BuiltImage(b.HostID),
		"--file="+filepath.Join(h.buildDir(), dockerfile), filepath.Join(h.buildDir(), buildContext))
}

// buildKit is the value of DOCKER_BUILDKIT: the command has a client of it up to release 22,
// and from 23 on with the plugin buildx. Without, the engine's first builder does.
func buildKit(ctx context.Context) string {
	if _, err := docker(ctx, "buildx", "version"); err == nil {
		return "1"
	}
	version, err := docker(ctx, "version", "--format", "{{.Client.Version}}")
	major, _, _ := strings.Cut(version, ".")
	if n, numErr := strconv.Atoi(major); err == nil && numErr == nil && n < 23 {
		return "1"
	}
	return "0"
}
