package agents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/guest/process"
)

// Stop ends an agent and all its processes; one that is stopped is left alone.
func (s *Supervisor) Stop(ctx context.Context, ref ctl.AgentRef) (*ctl.AgentStatus, error) {
	e, err := s.lock(ref)
	if err != nil {
		return nil, err
	}
	defer e.op.Unlock()
	if err := s.stop(ctx, e); err != nil {
		return nil, err
	}
	return s.status(ctx, e)
}

// stop records the wish first: an agent that a crash leaves alive is ended by the next
// stop or start, one that was stopped never comes back by itself. Where the wish cannot be
// recorded the agent ends all the same.
func (s *Supervisor) stop(ctx context.Context, e *entry) error {
	written := s.update(e, func(r *record) { r.Wanted = false })
	rec := s.snapshot(e)
	return errors.Join(s.end(ctx, &rec, s.cfg.Grace), written)
}

// Remove stops an agent and deletes its state and work directory. An absent one is fine,
// and so is one that was only prepared, by its id.
func (s *Supervisor) Remove(ctx context.Context, ref ctl.AgentRef) error {
	e, err := s.lock(ref)
	if failure, ok := errors.AsType[*ctl.Error](err); ok && failure.Code == ctl.CodeNotFound {
		if ref.ID == "" {
			return nil
		}
		return s.deleteDirs(ref.ID)
	}
	if err != nil {
		return err
	}
	defer e.op.Unlock()
	if err := s.stop(ctx, e); err != nil {
		return err
	}
	id := s.snapshot(e).Spec.ID
	if err := s.deleteDirs(id); err != nil {
		return err
	}
	s.forget(id, e)
	return nil
}

func (s *Supervisor) deleteDirs(id string) error {
	if _, err := agent.ParseID(id); err != nil {
		return usage("%v", err)
	}
	for _, dir := range []string{s.workDir(id), s.stateDir(id)} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove the agent's files: %w", err)
		}
	}
	return nil
}

// end ends all processes of an agent, then its tmux session.
func (s *Supervisor) end(ctx context.Context, rec *record, grace time.Duration) error {
	first := []syscall.Signal{syscall.SIGTERM}
	if rec.Spec.Type == typeShell {
		first = append(first, syscall.SIGHUP) // an interactive shell ignores SIGTERM
	}
	find := func() ([]int, error) { return s.processes(ctx, rec) }
	if err := process.End(ctx, grace, find, first...); err != nil {
		return fmt.Errorf("end agent %s: %w", rec.Spec.Name, err)
	}
	return s.cfg.Tmux.Kill(ctx, session(rec.Spec.Name))
}

// processes finds what belongs to an agent: all below the panes of its session, and all
// that carry its id in their environment, as daemons that left the session do. tmux's
// server is nobody's, whoever started it, and this program is not either.
func (s *Supervisor) processes(ctx context.Context, rec *record) ([]int, error) {
	panes, err := s.cfg.Tmux.Panes(ctx)
	if err != nil {
		return nil, toolError(err)
	}
	server := 0
	if len(panes) > 0 {
		server = panes[0].Server
	}
	table, err := process.Table()
	if err != nil {
		return nil, err
	}
	var roots []int
	for _, p := range panes {
		if p.Session == session(rec.Spec.Name) && !p.Dead {
			roots = append(roots, p.PID)
		}
	}
	roots = append(roots, process.WithEnv(table, "MNGR_AGENT_ID", rec.Spec.ID)...)
	roots = slices.DeleteFunc(roots, func(pid int) bool { return pid == server })
	found := process.Descendants(table, roots...)
	return slices.DeleteFunc(found, func(pid int) bool {
		return pid == 1 || pid == server || pid == os.Getpid()
	}), nil
}

// Shutdown ends all agents within the grace, for the container goes down. Those that ran
// stay wanted: the next Restore starts them.
func (s *Supervisor) Shutdown(ctx context.Context) {
	_, _ = s.Observe(ctx) // who has ended by himself until now is done; what cannot be seen is ended all the same
	s.mu.Lock()
	s.down = true
	s.mu.Unlock()
	var all sync.WaitGroup
	for _, e := range s.entries() {
		rec := s.snapshot(e)
		all.Go(func() {
			if err := s.end(ctx, &rec, s.cfg.Grace); err != nil {
				s.cfg.Log.Warn("agent not ended", "agent", rec.Spec.Name, "err", err)
			}
		})
	}
	all.Wait()
}
