package agents

import (
	"cmp"
	"context"
	"slices"
	"time"

	"mngr/internal/agent"
	"mngr/internal/agent/preset"
	"mngr/internal/ctl"
	"mngr/internal/guest/process"
	"mngr/internal/guest/tmux"
)

// quiet is how long a coding agent writes nothing before it is taken to wait for its
// user. They all animate their screen while they work; nothing surer is visible from
// outside.
const quiet = 10 * time.Second

// statusGrace is how long tmux may know that a pane is dead, but not its exit status.
const statusGrace = 2 * time.Second

// Observation is one agent as it is now, with what the idle watcher wants to know.
type Observation struct {
	ctl.AgentStatus
	IdleMode string
	Output   int64 // changes when the agent writes to its terminal
}

// Observe looks at all agents and records those that have ended. They are sorted by name.
func (s *Supervisor) Observe(ctx context.Context) ([]Observation, error) {
	panes, err := s.cfg.Tmux.Panes(ctx)
	if err != nil {
		return nil, toolError(err)
	}
	var all []Observation
	for _, e := range s.entries() {
		if e.op.TryLock() {
			s.settle(ctx, e, panes)
			e.op.Unlock()
		}
		all = append(all, s.observe(e, panes))
	}
	slices.SortFunc(all, func(a, b Observation) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// settle wants e.op held, and panes not older than that.
func (s *Supervisor) settle(ctx context.Context, e *entry, panes []tmux.Pane) {
	rec := s.snapshot(e)
	if !rec.running() || s.goingDown() {
		return
	}
	if !s.ended(e, paneOf(panes, rec.Spec.Name)) {
		return
	}
	// The list may be older than a start that has just finished: ask once more.
	pane, err := s.pane(ctx, rec.Spec.Name)
	if err != nil || !s.ended(e, pane) {
		return
	}
	err = s.update(e, func(r *record) {
		now := time.Now().UTC()
		r.EndedAt = &now
		if pane != nil {
			r.ExitCode = pane.ExitCode
		} else {
			r.Wanted = false // somebody has ended the session: that is a stop
		}
	})
	if err != nil {
		s.cfg.Log.Error("the end of an agent is not recorded", "agent", rec.Spec.Name, "err", err)
	}
}

// ended says whether the pane's process is over and its status known. tmux may see the end
// of the terminal before that of the process; old versions never tell of a signal.
func (s *Supervisor) ended(e *entry, pane *tmux.Pane) bool {
	if pane == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !pane.Dead:
		e.died = time.Time{}
		return false
	case pane.ExitCode != nil:
		return true
	case e.died.IsZero():
		e.died = time.Now()
	}
	return time.Since(e.died) > statusGrace
}

func (s *Supervisor) goingDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

func (s *Supervisor) status(ctx context.Context, e *entry) (*ctl.AgentStatus, error) {
	panes, err := s.cfg.Tmux.Panes(ctx)
	if err != nil {
		return nil, toolError(err)
	}
	s.settle(ctx, e, panes)
	o := s.observe(e, panes)
	return &o.AgentStatus, nil
}

func (s *Supervisor) observe(e *entry, panes []tmux.Pane) Observation {
	rec := s.snapshot(e)
	pane := paneOf(panes, rec.Spec.Name)
	o := Observation{IdleMode: rec.Spec.IdleMode, AgentStatus: ctl.AgentStatus{
		ID: rec.Spec.ID, Name: rec.Spec.Name, Type: rec.Spec.Type, Labels: rec.Spec.Labels,
		State: string(state(&rec, pane, time.Now())), Command: rec.Spec.Argv,
		WorkDir: s.workDir(rec.Spec.ID), Branch: branchOf(s.workDir(rec.Spec.ID)),
		CreatedAt: rec.CreatedAt, StartedAt: rec.StartedAt, ExitCode: rec.ExitCode,
	}}
	if pane != nil {
		o.Output = pane.Activity
		if rec.running() && !pane.Dead {
			o.PID = pane.PID
		}
	}
	return o
}

// state decides from the record and the pane, nil if there is none.
func state(rec *record, pane *tmux.Pane, now time.Time) agent.State {
	switch {
	case !rec.Wanted:
		return agent.Stopped
	case rec.EndedAt != nil:
		return agent.Done
	case pane == nil:
		return agent.Stopped
	case waits(rec, pane, now):
		return agent.Waiting
	}
	return agent.Running
}

func waits(rec *record, pane *tmux.Pane, now time.Time) bool {
	if rec.Spec.Type == typeShell { // it waits when it is itself in the foreground
		p, err := process.Read(pane.PID)
		return err == nil && p.Foreground == p.Group
	}
	_, coding := preset.Lookup(rec.Spec.Type)
	return coding && now.Sub(time.Unix(pane.Activity, 0)) > quiet
}
