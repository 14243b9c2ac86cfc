package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
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
	c, err := inspect(ctx, h.container)
	if err != nil {
		return nil, err
	}
	if c != nil {
		answer.ContainerState = c.State.Status
	}
	return answer, nil
}

// stop ends the container and keeps it stopped until the next boot.
func (h *host) stop(ctx context.Context) error {
	if err := os.MkdirAll(h.run, 0o755); err != nil {
		return err
	}
	if err := writeFile(h.inRun(hostsetup.FileStopped), []byte("host.stop\n"), 0o644); err != nil {
		return err
	}
	return h.stopContainer(ctx)
}

// lastStop reads why the machine deallocated itself before this boot; nil when it did not.
func (h *host) lastStop() *ctl.LastStop {
	file, err := os.Open(h.inRun(hostsetup.FileStopReason))
	if err != nil {
		return nil
	}
	defer file.Close()
	stop := &ctl.LastStop{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch key {
		case "at":
			stop.At, _ = time.Parse(time.RFC3339, value)
		case "cause":
			stop.Cause = printable(value, 64)
		case "detail":
			stop.Detail = printable(value, 1024)
		}
	}
	return stop
}

// bootTime is the kernel's, in whole seconds (proc(5), /proc/stat, btime).
func bootTime() (time.Time, error) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("read the boot time: %w", err)
			}
			return time.Unix(seconds, 0).UTC(), nil
		}
	}
	return time.Time{}, errors.New("no boot time in /proc/stat")
}
