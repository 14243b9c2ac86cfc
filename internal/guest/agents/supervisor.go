package agents

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/guest/tmux"
)

// Config is what a supervisor needs.
type Config struct {
	Root     string   // of all state: /mngr
	Launcher []string // argv that runs Launch; the agent's state directory is appended
	Environ  []string // what every agent gets besides its own environment
	Tmux     tmux.Client
	Grace    time.Duration // between SIGTERM and SIGKILL
	Log      *slog.Logger

	Created func(id string) // called after an agent is created; must not block
	Started func(id string) // called after an agent is started; must not block
}

// Supervisor looks after all agents of the container. Its methods may be called at once
// from many goroutines.
type Supervisor struct {
	cfg Config
	git sync.Mutex // git's global settings are one file

	mu     sync.Mutex // guards all below, and the records in the entries
	agents map[string]*entry
	down   bool // Shutdown has begun: agents end, and are not to be seen as done
}

// entry is one agent. The holder of op may start, stop or remove it.
type entry struct {
	op      sync.Mutex
	rec     *record
	removed bool
	died    time.Time // when the pane was first seen dead, before its status was known
}

// Open reads the records below cfg.Root. One that cannot be read is reported and left
// alone: an agent can spoil its own.
func Open(cfg Config) (*Supervisor, error) {
	s := &Supervisor{cfg: cfg, agents: make(map[string]*entry)}
	for _, dir := range []string{s.stateRoot(), s.workRoot()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open %s: %w", cfg.Root, err)
		}
	}
	dirs, err := os.ReadDir(s.stateRoot())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", cfg.Root, err)
	}
	for _, d := range dirs {
		s.adopt(d.Name())
	}
	return s, nil
}

func (s *Supervisor) adopt(id string) {
	if _, err := agent.ParseID(id); err != nil {
		return
	}
	rec, err := loadRecord(s.stateDir(id))
	switch {
	case errors.Is(err, fs.ErrNotExist): // prepared, not created yet
	case err != nil:
		s.cfg.Log.Error("agent left out", "id", id, "err", err)
	case rec.Spec.ID != id:
		s.cfg.Log.Error("agent left out: its record is another's", "id", id)
	default:
		s.agents[id] = &entry{rec: rec}
	}
}

func (s *Supervisor) stateRoot() string         { return filepath.Join(s.cfg.Root, "agents") }
func (s *Supervisor) workRoot() string          { return filepath.Join(s.cfg.Root, "projects") }
func (s *Supervisor) stateDir(id string) string { return filepath.Join(s.stateRoot(), id) }
func (s *Supervisor) workDir(id string) string  { return filepath.Join(s.workRoot(), id) }

// session is the name of an agent's tmux session.
func session(name string) string { return "mngr-" + name }

// find returns the agent that ref names; with both id and name, both must fit.
func (s *Supervisor) find(ref ctl.AgentRef) (*entry, error) {
	if err := checkRef(ref); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, e := range s.agents {
		if (ref.ID == "" || ref.ID == id) && (ref.Name == "" || ref.Name == e.rec.Spec.Name) {
			return e, nil
		}
	}
	return nil, &ctl.Error{Code: ctl.CodeNotFound, Message: fmt.Sprintf("no agent %q on this host", cmp.Or(ref.Name, ref.ID))}
}

// lock finds an agent and holds it for an operation.
func (s *Supervisor) lock(ref ctl.AgentRef) (*entry, error) {
	e, err := s.find(ref)
	if err != nil {
		return nil, err
	}
	e.op.Lock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.removed || s.down {
		e.op.Unlock()
		return nil, &ctl.Error{Code: ctl.CodeNotFound, Message: "the agent is gone, or its container goes down"}
	}
	return e, nil
}

// snapshot returns a copy of an entry's record.
func (s *Supervisor) snapshot(e *entry) record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *e.rec
}

// update changes an entry's record and writes it.
func (s *Supervisor) update(e *entry, change func(*record)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := *e.rec
	change(&rec)
	if err := rec.save(s.stateDir(rec.Spec.ID)); err != nil {
		return err
	}
	e.rec = &rec
	return nil
}

// entries returns all agents at this moment.
func (s *Supervisor) entries() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*entry, 0, len(s.agents))
	for _, e := range s.agents {
		all = append(all, e)
	}
	return all
}
