package vm

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
)

// watched runs watchContainer in synthetic time on a host with an idle timeout of ten
// minutes; asked counts the starts of the deallocation.
func watched(t *testing.T, idle ctl.Idle, test func(h *host, asked *atomic.Int64)) {
	h := &host{state: t.TempDir(), run: t.TempDir(), signal: t.TempDir(), look: signalLook, silence: silentPatience}
	if err := h.writeRecord(record{Setup: ctl.Setup{Idle: idle}}); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		h.deallocate = func(context.Context) error { asked.Add(1); return nil }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { h.watchContainer(ctx, io.Discard); close(done) }()
		synctest.Wait()
		test(h, &asked)
		cancel()
		<-done
	})
}

var tenMinutes = ctl.Idle{TimeoutSeconds: 600}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// alive reports as the container does: with a new file each time.
func alive(t *testing.T, h *host) {
	t.Helper()
	path := filepath.Join(h.signal, hostsetup.SignalAlive)
	if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// A container that does not report for longer than it may be idle costs no more than that.
func TestASilentHostDoesNotBillForEver(t *testing.T) {
	watched(t, tenMinutes, func(h *host, asked *atomic.Int64) {
		for range 60 { // as long as it reports it may take its time
			alive(t, h)
			pass(time.Minute)
		}
		if asked.Load() > 0 {
			t.Fatal("a host that reports wants to go")
		}
		pass(11 * time.Minute)
		if asked.Load() > 0 {
			t.Fatal("too early: a start of the container takes its time")
		}
		pass(2 * time.Minute)
		if asked.Load() == 0 || !h.wants(hostsetup.CauseSilent) {
			t.Fatal("a silent host stays")
		}
		before := asked.Load()
		pass(5 * time.Minute)
		if asked.Load() == before {
			t.Error("it says so once only")
		}
		alive(t, h)
		pass(signalLook)
		if h.wants(hostsetup.CauseSilent) {
			t.Error("it still wants to go although it reports again")
		}
	})
}

func TestSilenceThatCountsNot(t *testing.T) {
	for name, test := range map[string]struct {
		idle    ctl.Idle
		prepare func(h *host) error
	}{
		"no timeout": {ctl.Idle{}, func(*host) error { return nil }},
		"disabled":   {ctl.Idle{Mode: modeDisabled, TimeoutSeconds: 600}, func(*host) error { return nil }},
		"stopped": {tenMinutes, func(h *host) error {
			return os.WriteFile(h.inRun(hostsetup.FileStopped), nil, 0o600)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			watched(t, test.idle, func(h *host, asked *atomic.Int64) {
				if err := test.prepare(h); err != nil {
					t.Fatal(err)
				}
				pass(24 * time.Hour)
				if asked.Load() > 0 {
					t.Error("it wants to go")
				}
			})
		})
	}
}

// Links and the like are no report; the sentinel counts whatever it is.
func TestPlantedReports(t *testing.T) {
	watched(t, tenMinutes, func(h *host, asked *atomic.Int64) {
		link := filepath.Join(h.signal, hostsetup.SignalAlive)
		for n := range 14 {
			_ = os.Remove(link)
			if err := os.Symlink(strings.Repeat("x", n+1), link); err != nil {
				t.Fatal(err)
			}
			pass(time.Minute)
		}
		if asked.Load() == 0 {
			t.Error("changing links keep the host up")
		}
	})
	watched(t, tenMinutes, func(h *host, asked *atomic.Int64) {
		// A file of the machine's that changes: its log, say.
		log := filepath.Join(h.run, "log")
		if err := os.Symlink(log, filepath.Join(h.signal, hostsetup.SignalAlive)); err != nil {
			t.Fatal(err)
		}
		for n := range 14 {
			fresh := log + strconv.Itoa(n)
			if err := errors.Join(os.WriteFile(fresh, nil, 0o600), os.Rename(fresh, log)); err != nil {
				t.Fatal(err)
			}
			pass(time.Minute)
		}
		if asked.Load() == 0 {
			t.Error("a link to a file that changes keeps the host up")
		}
	})
	watched(t, tenMinutes, func(h *host, asked *atomic.Int64) {
		alive(t, h)
		if err := os.Symlink("/nowhere", filepath.Join(h.signal, hostsetup.SignalIdle)); err != nil {
			t.Fatal(err)
		}
		pass(2 * signalLook)
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}

func TestMachineTellsItsContainer(t *testing.T) {
	h := &host{state: t.TempDir()}
	if err := os.Mkdir(h.guest(""), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(hostsetup.EnvAutoShutdown, "3600")
	answers := []struct {
		ok  *bool
		why string
	}{{nil, ""}, {new(false), "the role is missing"}, {nil, ""}, {new(true), ""}}
	want := []string{`{"shutdown_at":`, `{"self_stop":false,"self_stop_why":"the role is missing","shutdown_at":`, `"the role is missing"`, `{"self_stop":true,"shutdown_at":`}
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		h.selfStop = func(context.Context) (*bool, string) {
			next := int(n.Add(1)) - 1
			if next >= len(answers) {
				return nil, ""
			}
			return answers[next].ok, answers[next].why
		}
		done := make(chan struct{})
		inside, stop := context.WithCancel(t.Context())
		go func() { h.tellMachine(inside, io.Discard); close(done) }()
		for i := range want {
			synctest.Wait()
			if got, _ := os.ReadFile(h.guest(hostsetup.FileMachine)); int(n.Load()) != i+1 || !strings.Contains(string(got), want[i]) {
				t.Errorf("after %d answers: %s, want %s", n.Load(), got, want[i])
			}
			time.Sleep(askAgain)
		}
		synctest.Wait()
		if int(n.Load()) != len(want) {
			t.Error("a machine that may go is asked about as often as one that may not")
		}
		stop()
		<-done
	})
}
