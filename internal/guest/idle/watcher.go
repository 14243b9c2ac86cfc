package idle

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// watchEvery is short against any sensible timeout and long against the cost of a look.
const watchEvery = 5 * time.Second

// Settings is what the host's owner chose.
type Settings struct {
	Mode    Mode
	Timeout time.Duration
}

// Watcher writes the sentinel while the host is idle. It never ends anything itself: only
// the virtual machine can stop being billed.
type Watcher struct {
	Meter    *Meter
	Settings func() (Settings, error) // read anew at each look
	Agents   func(context.Context) ([]Agent, error)
	Signals  Signals
	Log      *slog.Logger
}

// Run looks until ctx ends. What cannot be known now is not acted upon, and not reported as
// known: a machine whose watcher is silent for long deallocates itself.
func (w *Watcher) Run(ctx context.Context) {
	w.forget() // left by a container that was idle, then started again
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	wasIdle := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		v, err := w.Look(ctx)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				w.Log.Warn("cannot tell whether the host is idle", "err", err)
			}
			continue
		case v.Idle:
			wasIdle = true
			if err := w.announce(v); err != nil {
				w.Log.Error("the host is idle and cannot say so", "err", err)
				continue
			}
		case wasIdle:
			wasIdle = false
			w.forget()
		}
		if err := w.Signals.write(w.Signals.Alive, nil); err != nil {
			w.Log.Warn("cannot report to the machine", "err", err)
		}
	}
}

// Look decides for this moment.
func (w *Watcher) Look(ctx context.Context) (Verdict, error) {
	s, err := w.Settings()
	if err != nil {
		return Verdict{}, err
	}
	agents, err := w.Agents(ctx)
	if err != nil {
		return Verdict{}, err
	}
	now := time.Now()
	return Decide(now, w.Meter.facts(now, s, agents)), nil
}

// announce writes the sentinel unless it is there. The virtual machine may take it away:
// then, as long as the host is idle, it is written again.
func (w *Watcher) announce(v Verdict) error {
	if w.Signals.has(w.Signals.Idle) {
		return nil
	}
	data, err := json.Marshal(struct {
		Reason      string    `json:"reason"`
		At          time.Time `json:"at"`
		IdleSeconds int       `json:"idle_seconds"`
	}{"idle", time.Now().UTC().Truncate(time.Second), int(v.Since.Seconds())})
	if err != nil {
		return fmt.Errorf("write the idle sentinel: %w", err)
	}
	w.Log.Info("the host is idle", "seconds", int(v.Since.Seconds()), "last", v.Source)
	return w.Signals.write(w.Signals.Idle, append(data, '\n'))
}

func (w *Watcher) forget() {
	if err := w.Signals.remove(w.Signals.Idle); err != nil {
		w.Log.Warn("a stale idle sentinel stays", "err", err)
	}
}
