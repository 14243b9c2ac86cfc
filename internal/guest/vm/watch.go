package vm

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"mngr/internal/hostsetup"
)

const (
	// signalLook is how often the machine looks at what the container reports.
	signalLook = 5 * time.Second
	// silentPatience covers what keeps a good container from reporting: its start, a crash
	// and the pause after it, the engine's restart.
	silentPatience = 3 * time.Minute
	// wantAgain is how often a wish that still holds is repeated, should systemd have lost it.
	wantAgain = time.Minute
)

// watchContainer deallocates a machine whose container does not report for longer than it
// may be idle: it is wedged, or cannot be started, or cannot say that it is idle. It also
// sees the sentinel itself: the path unit that does so first is blind when agents have used
// up root's inotify watches, which the container shares.
func (h *host) watchContainer(ctx context.Context, log io.Writer) {
	since, heard := time.Now(), h.lastReport()
	var asked time.Time
	for ctx.Err() == nil {
		limit := h.silenceLimit()
		if now := h.lastReport(); now != heard || limit == 0 || h.stopped() {
			since, heard = time.Now(), now
			h.unwant(hostsetup.CauseSilent)
		}
		again := time.Since(asked) > wantAgain
		switch {
		case limit > 0 && time.Since(since) > limit && (again || !h.wants(hostsetup.CauseSilent)):
			fmt.Fprintf(log, "the container has not reported for %s\n", time.Since(since).Round(time.Second))
			h.want(ctx, hostsetup.CauseSilent, log)
			asked = time.Now()
		case h.sentinel() && again:
			if err := h.deallocate(ctx); err != nil {
				fmt.Fprintln(log, "the container is idle:", err)
			}
			asked = time.Now()
		}
		wait(ctx, h.look)
	}
}

// silenceLimit is how long this host's container may be silent; 0 without end: its owner
// wants it up whatever it does.
func (h *host) silenceLimit() time.Duration {
	known, err := h.readRecord()
	if err != nil || known == nil {
		return 0
	}
	idle := known.Setup.Idle
	if idle.TimeoutSeconds <= 0 || idle.Mode == modeDisabled {
		return 0
	}
	return time.Duration(idle.TimeoutSeconds)*time.Second + h.silence
}

// modeDisabled is the idle mode of a host that never stops itself.
const modeDisabled = "disabled"

// sign identifies one writing of a file.
type sign struct {
	at time.Time
	id uint64
}

// lastReport is the container's last report, which is never opened: agents may have put
// anything there.
func (h *host) lastReport() sign {
	info, err := os.Lstat(filepath.Join(h.signal, hostsetup.SignalAlive))
	if err != nil || !info.Mode().IsRegular() {
		return sign{}
	}
	return sign{info.ModTime(), info.Sys().(*syscall.Stat_t).Ino}
}

func (h *host) sentinel() bool {
	_, err := os.Lstat(filepath.Join(h.signal, hostsetup.SignalIdle))
	return err == nil
}

// want makes the machine deallocate itself for a cause of its own, until it is unwanted.
func (h *host) want(ctx context.Context, cause string, log io.Writer) {
	fmt.Fprintln(log, "deallocating this machine:", cause)
	err := os.MkdirAll(h.inRun(hostsetup.DirStop), 0o755) //nolint:gosec // no secrets; the services of the machine look there
	if err == nil {
		err = os.WriteFile(h.cause(cause), nil, 0o644) //nolint:gosec // an empty file
	}
	if err == nil {
		err = h.deallocate(ctx)
	}
	if err != nil {
		fmt.Fprintln(log, "start the deallocation:", err)
	}
}

// unwant takes a cause back: the script ends when none is left.
func (h *host) unwant(cause string) { _ = os.Remove(h.cause(cause)) }

func (h *host) wants(cause string) bool {
	_, err := os.Lstat(h.cause(cause))
	return err == nil
}

func (h *host) cause(name string) string { return filepath.Join(h.inRun(hostsetup.DirStop), name) }
