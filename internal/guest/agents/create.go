package agents

import (
	"context"
	"fmt"
	"os"
	"time"

	"mngr/internal/ctl"
)

// Prepare makes the directories of an agent that is about to be created, the work
// directory as a git repository that accepts a push to any branch.
func (s *Supervisor) Prepare(ctx context.Context, ref ctl.AgentRef) (*ctl.Prepared, error) {
	if err := checkRef(ref); err != nil {
		return nil, err
	}
	if ref.ID == "" {
		return nil, usage("an agent is prepared by its id")
	}
	if err := s.nameFree(ref.ID, ref.Name); err != nil {
		return nil, err
	}
	if err := s.makeDirs(ref.ID); err != nil {
		return nil, err
	}
	if err := s.initRepository(ctx, s.workDir(ref.ID)); err != nil {
		return nil, err
	}
	return &ctl.Prepared{WorkDir: s.workDir(ref.ID)}, nil
}

func (s *Supervisor) makeDirs(id string) error {
	for _, dir := range []string{s.stateDir(id), s.workDir(id)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make the agent's directories: %w", err)
		}
	}
	return nil
}

func (s *Supervisor) nameFree(id, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nameFreeLocked(id, name)
}

// nameFreeLocked wants s.mu held.
func (s *Supervisor) nameFreeLocked(id, name string) error {
	for other, e := range s.agents {
		if other != id && name != "" && e.rec.Spec.Name == name {
			return &ctl.Error{Code: ctl.CodeExists, Message: fmt.Sprintf("this host already has an agent %q (%s)", name, other)}
		}
	}
	return nil
}

// Create checks the branch out, writes the record and, if the spec says so, starts the
// agent. Creating an agent again with the same id and name finishes what was begun.
func (s *Supervisor) Create(ctx context.Context, spec ctl.AgentSpec) (*ctl.AgentStatus, error) {
	if err := checkSpec(&spec); err != nil {
		return nil, err
	}
	if spec.Git != nil {
		git := *spec.Git
		git.Origin = withoutUser(git.Origin) // before anything of it is written
		spec.Git = &git
	}
	if err := s.makeDirs(spec.ID); err != nil {
		return nil, err
	}
	e, fresh, err := s.claim(spec)
	if err != nil {
		return nil, err
	}
	defer e.op.Unlock()
	if fresh {
		if err := s.fill(ctx, e, spec); err != nil {
			s.forget(spec.ID, e)
			return nil, err
		}
		s.cfg.Created(spec.ID)
	}
	if spec.Start {
		if err := s.start(ctx, e); err != nil {
			return nil, err
		}
	}
	return s.status(ctx, e)
}

// claim takes the name and the operation lock. An agent that exists with the same id and
// name is taken as it is, unless the request that made it was another one that must have
// made its own.
func (s *Supervisor) claim(spec ctl.AgentSpec) (e *entry, fresh bool, err error) {
	if err := s.nameFree(spec.ID, spec.Name); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	e = s.agents[spec.ID]
	if e == nil && !s.down {
		e = &entry{rec: &record{Version: recordVersion, Spec: spec, CreatedAt: time.Now().UTC()}}
		e.op.Lock()
		s.agents[spec.ID] = e
		s.mu.Unlock()
		return e, true, nil
	}
	s.mu.Unlock()
	e, err = s.lock(ctl.AgentRef{ID: spec.ID, Name: spec.Name})
	if err != nil {
		return nil, false, err
	}
	if made := s.snapshot(e).Spec.Request; spec.Request != "" && made != spec.Request {
		e.op.Unlock()
		return nil, false, &ctl.Error{Code: ctl.CodeExists, Message: fmt.Sprintf("another create has made the agent %q meanwhile", spec.Name)}
	}
	return e, false, nil
}

func (s *Supervisor) fill(ctx context.Context, e *entry, spec ctl.AgentSpec) error {
	if spec.Git != nil {
		if err := s.checkOut(ctx, s.workDir(spec.ID), *spec.Git); err != nil {
			return err
		}
	} else if err := s.dropEmptyRepository(ctx, s.workDir(spec.ID)); err != nil {
		return err
	}
	return s.update(e, func(*record) {})
}

func (s *Supervisor) forget(id string, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.removed = true
	if s.agents[id] == e {
		delete(s.agents, id)
	}
}
