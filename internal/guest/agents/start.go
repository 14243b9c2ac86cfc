package agents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"mngr/internal/ctl"
	"mngr/internal/guest/tmux"
)

// Start runs an agent; one that runs already is left alone.
func (s *Supervisor) Start(ctx context.Context, ref ctl.AgentRef) (*ctl.AgentStatus, error) {
	e, err := s.lock(ref)
	if err != nil {
		return nil, err
	}
	defer e.op.Unlock()
	if err := s.start(ctx, e); err != nil {
		return nil, err
	}
	return s.status(ctx, e)
}

// start wants e.op held. The record says "wanted" before the process exists: a crash in
// between starts the agent at the next boot rather than forgetting it.
func (s *Supervisor) start(ctx context.Context, e *entry) error {
	rec := s.snapshot(e)
	pane, err := s.pane(ctx, rec.Spec.Name)
	if err != nil {
		return err
	}
	if rec.running() && pane != nil && !pane.Dead {
		return nil
	}
	if err := s.end(ctx, &rec, s.cfg.Grace); err != nil {
		return err
	}
	if err := os.MkdirAll(s.workDir(rec.Spec.ID), 0o700); err != nil {
		return fmt.Errorf("make the work directory: %w", err)
	}
	err = s.update(e, func(r *record) {
		now := time.Now().UTC()
		r.Wanted, r.StartedAt, r.EndedAt, r.ExitCode = true, &now, nil, nil
		r.Starts++
	})
	if err != nil {
		return err
	}
	argv := append(s.cfg.Launcher[:len(s.cfg.Launcher):len(s.cfg.Launcher)], s.stateDir(rec.Spec.ID))
	if err := s.cfg.Tmux.New(ctx, session(rec.Spec.Name), s.workDir(rec.Spec.ID), argv); err != nil {
		return errors.Join(toolError(err), s.update(e, func(r *record) { r.Wanted = false }))
	}
	s.cfg.Started(rec.Spec.ID)
	for k, v := range s.ownVars(&rec.Spec) {
		if err := s.cfg.Tmux.Setenv(ctx, session(rec.Spec.Name), k, v); err != nil {
			s.cfg.Log.Warn("further windows of the agent lack a variable", "agent", rec.Spec.Name, "err", err)
		}
	}
	return nil
}

// toolError turns the lack of tmux into an answer that says what to do.
func toolError(err error) error {
	if errors.Is(err, tmux.ErrMissing) {
		return &ctl.Error{Code: ctl.CodeUnsupported, Message: err.Error()}
	}
	return err
}

// pane returns the agent's pane, or nil.
func (s *Supervisor) pane(ctx context.Context, name string) (*tmux.Pane, error) {
	panes, err := s.cfg.Tmux.Panes(ctx)
	if err != nil {
		return nil, toolError(err)
	}
	return paneOf(panes, name), nil
}

func paneOf(panes []tmux.Pane, name string) *tmux.Pane {
	for i := range panes {
		if panes[i].Session == session(name) && panes[i].Window == tmux.Window {
			return &panes[i]
		}
	}
	return nil
}

// Restore starts every agent that ran when the container went down. One that fails is
// reported and does not hold the others up. It comes before the first Observe, to which an
// agent without a session is a stopped one.
func (s *Supervisor) Restore(ctx context.Context) {
	for _, e := range s.entries() {
		rec := s.snapshot(e)
		pane, err := s.pane(ctx, rec.Spec.Name)
		if err == nil && (!rec.running() || pane != nil) {
			continue // or only this program went down: the agent lives, or has ended meanwhile
		}
		if err == nil {
			_, err = s.Start(ctx, ctl.AgentRef{ID: rec.Spec.ID})
		}
		if err != nil {
			s.cfg.Log.Error("agent not started again", "agent", rec.Spec.Name, "err", err)
		}
	}
}
