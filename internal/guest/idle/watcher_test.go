package idle

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// world is what the watcher sees.
type world struct {
	mu     sync.Mutex
	agents []Agent
	broken error
}

func (w *world) set(broken error, agents ...Agent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken, w.agents = broken, agents
}

func (w *world) settings() (Settings, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Settings{Timeout: 10 * time.Minute}, w.broken
}

func (w *world) list(context.Context) ([]Agent, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.agents, nil
}

// watch runs a watcher in a bubble of synthetic time.
func watch(t *testing.T, test func(w *Watcher, seen *world)) {
	signals := Signals{Dir: t.TempDir(), Idle: "idle", Alive: "alive"}
	synctest.Test(t, func(t *testing.T) {
		var seen world
		w := &Watcher{
			Meter:    NewMeter(),
			Settings: seen.settings,
			Agents:   seen.list,
			Signals:  signals,
			Log:      slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.Run(ctx); close(done) }()
		synctest.Wait()
		test(w, &seen)
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
	watch(t, func(w *Watcher, _ *world) {
		pass(10*time.Minute - watchEvery)
		if exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("idle too early")
		}
		pass(watchEvery)
		data, err := os.ReadFile(w.Signals.path(w.Signals.Idle))
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
		os.Remove(w.Signals.path(w.Signals.Idle))
		pass(watchEvery)
		if !exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("it was taken away while the host is idle, and not written again")
		}
		w.Meter.Touch()
		pass(watchEvery)
		if exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("it stays while the host is used")
		}
	})
}

func TestHeldSessionIsActiveUntilItEnds(t *testing.T) {
	watch(t, func(w *Watcher, _ *world) {
		end := w.Meter.Begin()
		pass(time.Hour)
		if exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("idle with a terminal attached")
		}
		end()
		end() // once more changes nothing
		pass(9 * time.Minute)
		if exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("idle before its timeout")
		}
		pass(2 * time.Minute)
		if !exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("not idle after the terminal has gone")
		}
	})
}

func TestOutputIsSeenByItsChange(t *testing.T) {
	watch(t, func(w *Watcher, seen *world) {
		for i := range 60 { // the number may go down: a clock was set
			seen.set(nil, Agent{ID: "a", Type: "claude", Alive: true, Output: int64(100 - i)})
			pass(time.Minute)
			if exists(w.Signals.path(w.Signals.Idle)) {
				t.Fatalf("idle after %d minutes of output", i)
			}
		}
		pass(11 * time.Minute)
		if !exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("not idle after the output has ended")
		}
	})
}

func TestCreateAndStartCount(t *testing.T) {
	watch(t, func(w *Watcher, seen *world) {
		seen.set(nil, Agent{ID: "a", Type: "command"})
		pass(9 * time.Minute)
		w.Meter.Created("a")
		pass(9 * time.Minute)
		w.Meter.Started("a")
		pass(9 * time.Minute)
		if exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("idle")
		}
		pass(2 * time.Minute)
		if !exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("not idle")
		}
	})
}

func TestUnknownIsNeverIdle(t *testing.T) {
	watch(t, func(w *Watcher, seen *world) {
		seen.set(errors.New("no settings"))
		pass(time.Hour)
		if exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("idle without knowing")
		}
		seen.set(nil)
		pass(watchEvery)
		if !exists(w.Signals.path(w.Signals.Idle)) {
			t.Fatal("not idle though known")
		}
	})
}

func TestStaleSentinelIsCleared(t *testing.T) {
	signals := Signals{Dir: t.TempDir(), Idle: "idle", Alive: "alive"}
	sentinel := signals.path(signals.Idle)
	if err := os.WriteFile(sentinel, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := &Watcher{Meter: NewMeter(), Signals: signals, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		go w.Run(ctx)
		synctest.Wait()
		cancel()
	})
	if exists(sentinel) {
		t.Fatal("it stays")
	}
}
