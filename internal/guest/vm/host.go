package vm

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
)

// host is this virtual machine. Tests make one in directories of their own.
type host struct {
	state  string // hostsetup.StateDir
	run    string // hostsetup.RunDir
	signal string // hostsetup.SignalDir
	log    string // cloud-init's output

	container string // name of the one container
	volume    string // name of its data volume
	tools     string // image repository for images that we completed

	executable string                          // this mngrd
	service    func(ctx context.Context) error // makes systemd run `mngrd vm`
	deallocate func(ctx context.Context) error // makes the machine deallocate itself
	patience   time.Duration                   // how long a stopped host waits for that

	// selfStop asks Azure whether the machine may deallocate itself; nil, when nobody can
	// tell, or no and why.
	selfStop func(ctx context.Context) (ok *bool, why string)
	metadata string        // URL of the metadata service
	look     time.Duration // between two looks at what the container reports
	silence  time.Duration // how long, beyond its idle timeout, a container may be silent
}

// thisHost is the machine that we run on.
func thisHost() (*host, error) {
	executable, err := os.Executable()
	if err == nil {
		executable, err = filepath.EvalSymlinks(executable)
	}
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return &host{
		state:      hostsetup.StateDir,
		run:        hostsetup.RunDir,
		signal:     hostsetup.SignalDir,
		log:        "/var/log/cloud-init-output.log",
		container:  "mngr",
		volume:     "mngr-data",
		tools:      "mngr-tools",
		executable: executable,
		service:    enableService,
		deallocate: startDeallocation,
		patience:   stoppedPatience,
		selfStop:   askSelfStop,
		metadata:   "http://169.254.169.254/metadata",
		look:       signalLook,
		silence:    silentPatience,
	}, nil
}

func startDeallocation(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "systemctl", "start", "--no-block", hostsetup.Deallocate).CombinedOutput()
	if err != nil {
		return fmt.Errorf("start %s: %w: %s", hostsetup.Deallocate, err, lastLine(string(out)))
	}
	return nil
}

// enableService is idempotent: a service that runs stays as it is.
func enableService(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "systemctl", "enable", "--now", "--quiet", hostsetup.Service).CombinedOutput()
	if err != nil {
		return fmt.Errorf("start %s: %w: %s", hostsetup.Service, err, lastLine(string(out)))
	}
	return nil
}

// Main is `mngrd vm`: it keeps the container running until ctx ends, then stops it. It
// returns an error only if it cannot work at all; systemd starts it again.
func Main(ctx context.Context) error {
	h, err := thisHost()
	if err != nil {
		return err
	}
	return h.supervise(ctx, os.Stderr)
}

// Handle answers the host.* operations of `mngrd ctl`. Lines for the user go to progress,
// phases among them behind ctl.ProgressPrefix. What followed the request is in rest.
func Handle(ctx context.Context, request ctl.Request, rest io.Reader, progress io.Writer) ctl.Answer {
	h, err := thisHost()
	if err != nil {
		return failure(err)
	}
	return h.handle(ctx, request, rest, progress)
}

func (h *host) guest(name string) string { return filepath.Join(h.state, "guest", name) }
