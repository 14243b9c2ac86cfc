package vm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

// status is what this machine knows of its container. Before the first setup it asks
// nothing of Docker, which may not be there yet.
func (h *host) status(ctx context.Context) (*ctl.HostStatus, error) {
	boot, err := bootTime()
	if err != nil {
		return nil, err
	}
	hash, err := hashFile(h.executable)
	if err != nil {
		return nil, err
	}
	answer := &ctl.HostStatus{ContainerState: "absent", BootTime: boot, GuestHash: hash, LastStop: h.lastStop()}
	known, err := h.readRecord()
	if err != nil || known == nil {
		return answer, err
	}
	answer.Configured = true
	answer.HostID = known.Setup.HostID
	answer.ContainerHostKey = known.ContainerHostKey
	ctx, cancel := context.WithTimeout(ctx, engineReply)
	defer cancel()
	c, err := inspect(ctx, h.container)
	switch {
	case err != nil: // what else is known is asked for just then
		answer.ContainerState, answer.ContainerError = "unknown", plain.Line(err.Error(), 300)
	case c != nil:
		answer.ContainerState = c.State.Status
	}
	return answer, nil
}

// engineReply is how long an engine may take to say how the container is. Whoever asks
// waits little longer, and a wedged engine would never answer.
const engineReply = 1500 * time.Millisecond

// stop ends the container and keeps it stopped until the next boot.
func (h *host) stop(ctx context.Context) error {
	if err := os.MkdirAll(h.run, 0o755); err != nil {
		return err
	}
	if err := writeFile(h.inRun(hostsetup.FileStopped), []byte("host.stop\n"), 0o644); err != nil {
		return err
	}
	// Whoever stops it says so elsewhere: an idle machine that Azure refused did not go.
	_ = os.Remove(filepath.Join(h.state, hostsetup.FileStopReason))
	return h.stopContainer(ctx, hostsetup.StopTimeout*time.Second)
}

// start takes a stop back: supervise sees it within stoppedPoll.
func (h *host) start() error {
	h.unwant(hostsetup.CauseStopped)
	h.unwant(hostsetup.CauseEvicted)
	err := os.Remove(h.inRun(hostsetup.FileStopped))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// bootTime is when the first process of this machine started: the kernel's boot, or that of
// a machine which is itself a container (proc(5): btime in /proc/stat, field 22 of
// /proc/1/stat in ticks of 1/100 s).
func bootTime() (time.Time, error) {
	kernel, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, err
	}
	first, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return time.Time{}, err
	}
	var seconds, ticks int64
	for line := range strings.Lines(string(kernel)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	// The name in field 2 may hold blanks and ends with the last parenthesis.
	_, rest, _ := strings.Cut(string(first), ") ")
	if fields := strings.Fields(rest); err == nil && len(fields) > 19 {
		ticks, err = strconv.ParseInt(fields[19], 10, 64)
	}
	if err != nil || seconds == 0 {
		return time.Time{}, fmt.Errorf("read the boot time: %w", errors.Join(err, errors.New("unknown form of /proc")))
	}
	return time.Unix(seconds, 0).Add(time.Duration(ticks) * 10 * time.Millisecond).UTC(), nil
}
