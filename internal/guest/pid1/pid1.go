// Package pid1 is process 1 of the container. It starts the process that does the work,
// collects every orphan that ends, and passes a stop on. Only the guest program imports it.
//
// It is a process of its own so that it can wait for any child: in the worker, where
// os/exec waits for children by their ids, collecting "any" would steal their statuses.
// A worker that crashes is started again; the agents in tmux live on meanwhile.
package pid1

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	restartMin = time.Second
	restartMax = 30 * time.Second
	// lastGrace is for whatever the worker did not end; then SIGKILL.
	lastGrace = 500 * time.Millisecond
)

// Config says what process 1 runs.
type Config struct {
	Worker []string      // argv
	Grace  time.Duration // for the worker to stop in, after SIGTERM or SIGINT
	Log    io.Writer
}

type state struct {
	cfg      Config
	worker   int // its pid; 0 between two runs
	started  time.Time
	pause    time.Duration
	stopping bool
}

// Run returns when it was told to stop and all is over. As process 1 it ends every other
// process of the container; elsewhere only the worker.
func Run(cfg Config) {
	stop := make(chan os.Signal, 1)
	children := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(stop)
	defer signal.Stop(children)

	s := &state{cfg: cfg, pause: restartMin}
	restart := time.NewTimer(0)
	var deadline <-chan time.Time
	for {
		select {
		case <-restart.C:
			if !s.stopping && !s.start() {
				restart.Reset(s.nextPause())
			}
		case <-children:
			if reap(s.worker) {
				s.worker = 0
				restart.Reset(s.nextPause())
			}
		case <-stop:
			if !s.stopping && s.worker != 0 {
				syscall.Kill(s.worker, syscall.SIGTERM)
				deadline = time.After(cfg.Grace)
			}
			s.stopping = true
		case <-deadline:
			fmt.Fprintln(cfg.Log, "mngrd: the worker does not stop in time")
			syscall.Kill(s.worker, syscall.SIGKILL)
			s.worker = 0
		}
		if s.stopping && s.worker == 0 {
			endAll(children)
			return
		}
	}
}

// start runs the worker with the standard streams of this process.
func (s *state) start() bool {
	pid, err := syscall.ForkExec(s.cfg.Worker[0], s.cfg.Worker, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		fmt.Fprintf(s.cfg.Log, "mngrd: start the worker: %v\n", err)
		return false
	}
	s.worker, s.started = pid, time.Now()
	return true
}

// nextPause doubles while the worker keeps dying young.
func (s *state) nextPause() time.Duration {
	if time.Since(s.started) > restartMax {
		s.pause = restartMin
	}
	p := s.pause
	s.pause = min(2*s.pause, restartMax)
	return p
}

// reap collects all children that have ended, and says whether the worker was one.
func reap(worker int) (ended bool) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil || pid <= 0:
			return ended
		case pid == worker:
			ended = true
		}
	}
}

// endAll gives what is left in the container a short time to end. The kernel kills the
// rest when process 1 exits.
func endAll(children <-chan os.Signal) {
	if os.Getpid() != 1 {
		return
	}
	syscall.Kill(-1, syscall.SIGTERM)
	late := time.After(lastGrace)
	for {
		reap(0)
		if errors.Is(syscall.Kill(-1, 0), syscall.ESRCH) {
			return
		}
		select {
		case <-children:
		case <-late:
			return
		}
	}
}
