package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

const (
	// eventsVersion and computeVersion are api-versions of the metadata service.
	eventsVersion  = "2020-07-01"
	computeVersion = "2021-02-01"

	// eventPoll is what Microsoft recommends for Spot machines, whose notice is 30 seconds
	// ("Azure Metadata Service: Scheduled Events for Linux VMs").
	eventPoll = time.Second
	// eventsFirst is how long the first question may take, which switches the events on.
	eventsFirst = 150 * time.Second
	// metadataLimit bounds any other question.
	metadataLimit = 10 * time.Second
	// maxMetadata is more than the metadata service says.
	maxMetadata = 256 << 10

	// usualNotice is the least notice of an eviction, given as far as possible.
	usualNotice = 30 * time.Second
	// noticeMargin is what is left of it for the acknowledgement.
	noticeMargin = 2 * time.Second
	// leastGrace is what agents get even where the notice has run out.
	leastGrace = time.Second
)

// compute is the part of the metadata service's /instance/compute that we read.
type compute struct {
	Name     string `json:"name"`
	Priority string `json:"priority"` // "Spot", "Regular" or ""
}

// event is one entry of the metadata service's /scheduledevents.
type event struct {
	ID        string   `json:"EventId"`
	Type      string   `json:"EventType"`
	Resources []string `json:"Resources"`
	NotBefore string   `json:"NotBefore"` // RFC 1123; "" once it has begun
}

// watchEvents waits, on a Spot machine, for the notice that Azure takes its place. The
// container cannot reach the metadata service: the machine looks on its agents' behalf.
func (h *host) watchEvents(ctx context.Context, log io.Writer) {
	self, err := h.describe(ctx)
	if err != nil || !strings.EqualFold(self.Priority, "Spot") {
		return
	}
	fmt.Fprintln(log, "a Spot machine: watching for its eviction")
	handled, limit := "", eventsFirst
	for ctx.Err() == nil {
		var said struct{ Events []event }
		err := h.ask(ctx, limit, "GET", "/scheduledevents?api-version="+eventsVersion, "", &said)
		if err != nil {
			wait(ctx, h.look)
			continue
		}
		limit = metadataLimit
		if e, ok := preemption(said.Events, self.Name); ok && e.ID != handled {
			if err := h.leave(ctx, e, log); err != nil {
				fmt.Fprintln(log, "leave an evicted machine:", err)
				wait(ctx, eventPoll)
				continue
			}
			handled = e.ID
		}
		wait(ctx, eventPoll)
	}
}

// describe asks until the metadata service has answered, or ctx ends.
func (h *host) describe(ctx context.Context) (compute, error) {
	for pause := h.look; ; pause = min(2*pause, maxPause) {
		var self compute
		err := h.ask(ctx, metadataLimit, "GET", "/instance/compute?api-version="+computeVersion+"&format=json", "", &self)
		if err == nil && self.Name != "" || ctx.Err() != nil {
			return self, err
		}
		wait(ctx, pause)
	}
}

// preemption finds the eviction of one machine among events, which may be others' too.
func preemption(events []event, machine string) (event, bool) {
	for _, e := range events {
		named := slices.ContainsFunc(e.Resources, func(r string) bool { return strings.EqualFold(r, machine) })
		if strings.EqualFold(e.Type, "Preempt") && e.ID != "" && named {
			return e, true
		}
	}
	return event{}, false
}

// leave ends the agents within the notice, writes down why, and lets Azure go on, which it
// does at once then. Repeating it is harmless.
func (h *host) leave(ctx context.Context, e event, log io.Writer) error {
	grace := graceUntil(e.NotBefore, time.Now())
	fmt.Fprintf(log, "Azure takes this machine's place: agents have %s\n", grace)
	if err := h.noteStop(hostsetup.CauseEvicted, "Azure took the Spot machine's place"); err != nil {
		fmt.Fprintln(log, "write the reason down:", err)
	}
	// Else the container would be started again. Should the machine stay all the same, it
	// deallocates itself, as any stopped host does.
	if err := writeFile(h.inRun(hostsetup.FileStopped), []byte(hostsetup.CauseEvicted+"\n"), 0o644); err != nil {
		return err
	}
	if err := h.stopContainer(ctx, grace); err != nil {
		fmt.Fprintln(log, "stop the container:", err)
	}
	unix.Sync() // the machine goes without an orderly shutdown
	request, err := json.Marshal(map[string]any{"StartRequests": []map[string]string{{"EventId": e.ID}}})
	if err != nil {
		return err
	}
	return h.ask(ctx, metadataLimit, "POST", "/scheduledevents?api-version="+eventsVersion, string(request), nil)
}

// graceUntil is how long agents may take to end.
func graceUntil(notBefore string, now time.Time) time.Duration {
	grace := usualNotice - noticeMargin
	if at, err := time.Parse(time.RFC1123, notBefore); err == nil {
		grace = min(grace, at.Sub(now)-noticeMargin)
	}
	return max(grace, leastGrace).Round(time.Second)
}

// stopCause tells why a host was stopped.
func (h *host) stopCause() string {
	content, _ := os.ReadFile(h.inRun(hostsetup.FileStopped))
	if strings.TrimSpace(string(content)) == hostsetup.CauseEvicted {
		return hostsetup.CauseEvicted
	}
	return hostsetup.CauseStopped
}

// ask makes one request to the metadata service, past any proxy. curl makes it, which the
// machine's scripts need too: a client of our own would make every mngrd a third larger.
func (h *host) ask(ctx context.Context, limit time.Duration, method, path, body string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args := []string{"-q", "--silent", "--show-error", "--noproxy", "*", "--request", method, "--header", "Metadata: true",
		"--max-filesize", strconv.Itoa(maxMetadata), "--write-out", "\n%{http_code}"}
	if body != "" {
		args = append(args, "--header", "Content-Type: application/json", "--data-binary", body)
	}
	out, err := exec.CommandContext(ctx, "curl", append(args, h.metadata+path)...).Output()
	if err != nil {
		return fmt.Errorf("ask the metadata service: %w", errors.Join(err, context.Cause(ctx)))
	}
	end := bytes.LastIndexByte(out, '\n')
	content, status := out[:max(end, 0)], string(out[end+1:])
	if status != "200" {
		err = fmt.Errorf("HTTP %s: %s", status, plain.Line(string(content), 200))
	} else if answer != nil {
		err = json.Unmarshal(content, answer)
	}
	if err != nil {
		return fmt.Errorf("ask the metadata service for %s: %w", filepath.Base(path), err)
	}
	return nil
}
