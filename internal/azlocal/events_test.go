package azlocal

import (
	"context"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"mngr/internal/azlocal/activity"
)

// TestEventsHoldNobodyUp stops the reading of the activity log half-way, and wants others to
// be served meanwhile.
func TestEventsHoldNobodyUp(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	r := l.raw(ctx)
	pipe := l.inst.Path(activity.FileName) + ".1" // the older half, which is read first
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	filter := url.QueryEscape("eventTimestamp ge '" + time.Now().UTC().Add(-time.Hour).Format(time.RFC3339) + "'")
	events := make(chan reply, 1)
	go func() {
		events <- r.do(ctx, "GET", "/subscriptions/"+l.inst.Subscription+"/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter="+filter, "")
	}()
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // the log is being read once this returns
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	served := make(chan struct{})
	go func() {
		r.do(ctx, "GET", "/subscriptions/"+l.inst.Subscription+"/resourcegroups?api-version=2021-04-01", "")
		close(served)
	}()
	patience, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	select {
	case <-served:
	case <-patience.Done():
		t.Error("nobody is served while the log is read")
	}
	w.Close()
	<-served
	if got := <-events; got.Status != 200 {
		t.Errorf("events: %d %s", got.Status, got.Body)
	}
}
