package vm

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

// maxStopReason is more than the script or this program write.
const maxStopReason = 4 << 10

// keepStopReason moves why the last boot ended to where it ends with this one: the next
// stop may be somebody else's. Once a boot: what lies there later is about this one.
func (h *host) keepStopReason() {
	kept := h.inRun(hostsetup.FileLastStop)
	if _, err := os.Lstat(kept); err == nil {
		return
	}
	saved := filepath.Join(h.state, hostsetup.FileStopReason)
	content, _ := os.ReadFile(saved) // none: an empty file says that it was asked for
	if writeFile(kept, content, 0o600) == nil {
		_ = os.Remove(saved)
	}
}

// lastStop reads why the machine deallocated itself before this boot; nil when it did not.
func (h *host) lastStop() *ctl.LastStop {
	file, err := os.Open(h.inRun(hostsetup.FileLastStop))
	if err != nil {
		return nil
	}
	defer file.Close()
	return parseLastStop(io.LimitReader(file, maxStopReason))
}

// parseLastStop reads at=, cause= and detail= lines, whose detail comes from a container.
func parseLastStop(from io.Reader) *ctl.LastStop {
	stop := &ctl.LastStop{}
	for lines := bufio.NewScanner(from); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch key {
		case "at":
			stop.At, _ = time.Parse(time.RFC3339, value)
		case "cause":
			stop.Cause = plain.Line(value, 64)
		case "detail":
			stop.Detail = plain.Line(value, 1024)
		}
	}
	if stop.Cause == "" {
		return nil
	}
	return stop
}

// noteStop writes down why the machine is about to go, as the script does.
func (h *host) noteStop(cause, detail string) error {
	text := fmt.Sprintf("at=%s\ncause=%s\ndetail=%s\n", time.Now().UTC().Format(time.RFC3339), cause, plain.Line(detail, 1000))
	return writeFile(filepath.Join(h.state, hostsetup.FileStopReason), []byte(text), 0o600)
}
