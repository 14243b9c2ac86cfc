package guest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/guest/agents"
	"mngr/internal/guest/control"
	"mngr/internal/guest/idle"
	"mngr/internal/guest/sshd"
	"mngr/internal/guest/tmux"
)

// worker is the container's side of mngr: what process 1 keeps running.
type worker struct {
	paths   paths
	self    string // this program
	log     *slog.Logger
	meter   *idle.Meter
	agents  *agents.Supervisor
	watcher *idle.Watcher
}

// work runs until ctx ends, then ends the agents.
func work(ctx context.Context, p paths) error {
	w, err := newWorker(p)
	if err != nil {
		return err
	}
	hostKey, err := sshd.LoadHostKey(p.hostKey())
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", p.listen)
	if err != nil {
		return fmt.Errorf("listen for SSH: %w", err)
	}
	socket, err := control.Listen(p.socket())
	if err != nil {
		ln.Close()
		return err
	}
	w.agents.Restore(ctx)

	server := sshd.New(w.sshConfig(hostKey))
	group, serving := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Serve(serving, ln) })
	group.Go(func() error { return control.Serve(serving, socket, w.handle, w.log) })
	group.Go(func() error { w.watcher.Run(serving); return nil })
	<-serving.Done()
	if ctx.Err() != nil { // else a part failed: process 1 restarts the worker, the agents live on
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), workerGrace)
		defer cancel()
		w.agents.Shutdown(stop)
	}
	return group.Wait()
}

func newWorker(p paths) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own program: %w", err)
	}
	w := &worker{paths: p, self: self, log: slog.New(slog.NewTextHandler(os.Stderr, nil)), meter: idle.NewMeter()}
	w.agents, err = agents.Open(agents.Config{
		Root:     p.root,
		Launcher: []string{self, verbRunAgent},
		Environ:  os.Environ(),
		Tmux:     tmux.Client{Env: os.Environ()},
		Grace:    agentGrace,
		Log:      w.log,
		Created:  w.meter.Created,
		Started:  w.meter.Started,
	})
	if err != nil {
		return nil, err
	}
	w.watcher = &idle.Watcher{
		Meter: w.meter, Settings: w.idleSettings, Agents: w.idleAgents, Signals: p.signals(), Log: w.log,
	}
	return w, nil
}

func (w *worker) sshConfig(hostKey ssh.Signer) sshd.Config {
	return sshd.Config{
		HostKey:        hostKey,
		AuthorizedKeys: w.paths.authorizedKeys(),
		Place:          w.place,
		SFTP:           []string{w.self, verbSFTP},
		Activity:       w.meter,
		// Questions that mngr asks, as each `mngr list` does, are no work.
		Quiet: func(command string) bool { return isQuestion(command, w.self) },
		Log:   w.log,
	}
}

// place is an agent's work directory and environment, or root's home.
func (w *worker) place(_ context.Context, name string) (sshd.Place, error) {
	if name == "" {
		return sshd.Place{Dir: os.Getenv("HOME"), Env: os.Environ()}, nil
	}
	p, err := w.agents.Place(name)
	return sshd.Place(p), err
}

// isQuestion tells whether a command line is one request to mngrd, however a client quoted
// it and whether or not its shell stays in between.
func isQuestion(command, mngrd string) bool {
	plain := strings.NewReplacer("'", "", `"`, "").Replace(strings.TrimSpace(command))
	return strings.TrimPrefix(plain, "exec ") == mngrd+" ctl"
}

// machine is what the virtual machine says of itself; nil while it has said nothing.
func (w *worker) machine() *ctl.Machine {
	data, err := os.ReadFile(w.paths.machine())
	if err != nil {
		return nil
	}
	var m ctl.Machine
	if json.Unmarshal(data, &m) != nil {
		return nil
	}
	return &m
}

// hostConfig is the part of config.json that the container reads.
type hostConfig struct {
	Idle ctl.Idle `json:"idle"`
}

func (w *worker) idleSettings() (idle.Settings, error) {
	data, err := os.ReadFile(w.paths.config())
	if err != nil {
		return idle.Settings{}, fmt.Errorf("read the host's settings: %w", err)
	}
	var c hostConfig
	if err := json.Unmarshal(data, &c); err != nil {
		return idle.Settings{}, fmt.Errorf("read the host's settings: %w", err)
	}
	mode, err := idle.ParseMode(c.Idle.Mode)
	if err != nil {
		return idle.Settings{}, fmt.Errorf("read the host's settings: %w", err)
	}
	return idle.Settings{Mode: mode, Timeout: time.Duration(c.Idle.TimeoutSeconds) * time.Second}, nil
}

func (w *worker) idleAgents(ctx context.Context) ([]idle.Agent, error) {
	seen, err := w.agents.Observe(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]idle.Agent, 0, len(seen))
	for _, o := range seen {
		list = append(list, idle.Agent{
			ID: o.ID, Type: o.Type, Mode: o.IdleMode, Output: o.Output,
			Alive:   o.State == string(agent.Running) || o.State == string(agent.Waiting),
			Stopped: o.State == string(agent.Stopped),
		})
	}
	return list, nil
}
