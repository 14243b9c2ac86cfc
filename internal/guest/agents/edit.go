package agents

import (
	"context"
	"errors"
	"maps"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// Edit gives an agent another name and other labels while it goes on as it is. Its tmux
// session follows, so that whoever is attached stays attached.
func (s *Supervisor) Edit(ctx context.Context, edit ctl.AgentEdit) (*ctl.AgentStatus, error) {
	if !namePattern.MatchString(edit.Name) {
		return nil, usage("%q is no agent name", edit.Name)
	}
	if err := agent.CheckLabels(edit.Labels); err != nil {
		return nil, usage("%v", err)
	}
	e, err := s.lock(ctl.AgentRef{ID: edit.ID})
	if err != nil {
		return nil, err
	}
	defer e.op.Unlock()
	before := s.snapshot(e).Spec
	if before.Name != edit.Name || !maps.Equal(before.Labels, edit.Labels) {
		if err := s.take(e, edit); err != nil {
			return nil, err
		}
	}
	if err := s.renameSession(ctx, before, edit.Name); err != nil {
		return nil, errors.Join(err, s.update(e, func(r *record) { r.Spec.Name, r.Spec.Labels = before.Name, before.Labels }))
	}
	return s.status(ctx, e)
}

// take writes the record, unless another agent has the name.
func (s *Supervisor) take(e *entry, edit ctl.AgentEdit) error {
	var taken error
	err := s.update(e, func(r *record) {
		if taken = s.nameFreeLocked(edit.ID, edit.Name); taken == nil {
			r.Spec.Name, r.Spec.Labels = edit.Name, edit.Labels
		}
	})
	return errors.Join(taken, err)
}

func (s *Supervisor) renameSession(ctx context.Context, before ctl.AgentSpec, name string) error {
	if before.Name == name {
		return nil
	}
	if err := s.cfg.Tmux.Rename(ctx, session(before.Name), session(name)); err != nil {
		return toolError(err)
	}
	pane, err := s.pane(ctx, name)
	if err != nil || pane == nil {
		return err
	}
	return s.cfg.Tmux.Setenv(ctx, session(name), "MNGR_AGENT_NAME", name)
}
