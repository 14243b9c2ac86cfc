package idle

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// watch runs a watcher in a bubble of synthetic time.
func watch(t *testing.T, test func(w *Watcher, agents *[]Agent, broken *error)) {
	sentinel := filepath.Join(t.TempDir(), "idle")
	synctest.Test(t, func(t *testing.T) {
		var agents []Agent
		var broken error
		w := &Watcher{
			Meter:    NewMeter(),
			Settings: func() (Settings, error) { return Settings{Timeout: 10 * time.Minute}, broken },
			Agents:   func(context.Context) ([]Agent, error) { return agents, nil },
			Sentinel: sentinel,
			Log:      slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.Run(ctx); close(done) }()
		synctest.Wait()
		test(w, &agents, &broken)
		cancel()
		<-done
	})
}

// pass lets time go by, and the watcher look.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestSentinelComesAndGoesWithIdleness(t *testing.T) {
	watch(t, func(w *Watcher, _ *[]Agent, _ *error) {
		pass(10*time.Minute - watchEvery)
		if exists(w.Sentinel) {
			t.Fatal("idle too early")
		}
		pass(watchEvery)
		data, err := os.ReadFile(w.Sentinel)
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			Reason      string
			At          time.Time
			IdleSeconds int `json:"idle_seconds"`
		}
		if err := json.Unmarshal(data, &said); err != nil || said.Reason != "idle" || said.At.IsZero() || said.IdleSeconds != 600 {
			t.Fatalf("got %s, %v", data, err)
		}
		os.Remove(w.Sentinel)
		pass(watchEvery)
		if !exists(w.Sentinel) {
			t.Fatal("it was taken away while the host is idle, and not written again")
		}
		w.Meter.Touch()
		pass(watchEvery)
		if exists(w.Sentinel) {
			t.Fatal("it stays while the host is used")
		}
	})
}

func TestHeldSessionIsActiveUntilItEnds(t *testing.T) {
	watch(t, func(w *Watcher, _ *[]Agent, _ *error) {
		end := w.Meter.Begin()
		pass(time.Hour)
		if exists(w.Sentinel) {
			t.Fatal("idle with a terminal attached")
		}
		end()
		end() // once more changes nothing
		pass(9 * time.Minute)
		if exists(w.Sentinel) {
			t.Fatal("idle before its timeout")
		}
		pass(2 * time.Minute)
		if !exists(w.Sentinel) {
			t.Fatal("not idle after the terminal has gone")
		}
	})
}

func TestOutputIsSeenByItsChange(t *testing.T) {
	watch(t, func(w *Watcher, agents *[]Agent, _ *error) {
		*agents = []Agent{{ID: "a", Type: "claude", Alive: true, Output: 5}}
		for i := range 60 { // the number may go down: a clock was set
			(*agents)[0].Output = int64(100 - i)
			pass(time.Minute)
			if exists(w.Sentinel) {
				t.Fatalf("idle after %d minutes of output", i)
			}
		}
		pass(11 * time.Minute)
		if !exists(w.Sentinel) {
			t.Fatal("not idle after the output has ended")
		}
	})
}

func TestCreateAndStartCount(t *testing.T) {
	watch(t, func(w *Watcher, agents *[]Agent, _ *error) {
		*agents = []Agent{{ID: "a", Type: "command"}}
		pass(9 * time.Minute)
		w.Meter.Created("a")
		pass(9 * time.Minute)
		w.Meter.Started("a")
		pass(9 * time.Minute)
		if exists(w.Sentinel) {
			t.Fatal("idle")
		}
		pass(2 * time.Minute)
		if !exists(w.Sentinel) {
			t.Fatal("not idle")
		}
	})
}

func TestUnknownIsNeverIdle(t *testing.T) {
	watch(t, func(w *Watcher, _ *[]Agent, broken *error) {
		*broken = errors.New("no settings")
		pass(time.Hour)
		if exists(w.Sentinel) {
			t.Fatal("idle without knowing")
		}
		*broken = nil
		pass(watchEvery)
		if !exists(w.Sentinel) {
			t.Fatal("not idle though known")
		}
	})
}

func TestStaleSentinelIsCleared(t *testing.T) {
	sentinel := filepath.Join(t.TempDir(), "idle")
	if err := os.WriteFile(sentinel, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := &Watcher{Meter: NewMeter(), Sentinel: sentinel, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		go w.Run(ctx)
		synctest.Wait()
		cancel()
	})
	if exists(sentinel) {
		t.Fatal("it stays")
	}
}
