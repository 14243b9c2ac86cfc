package sshd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

var errClientGone = errors.New("the client closed the session")

// running is the part of a started command that requests can steer.
type running struct {
	mu     sync.Mutex
	leader int      // process id, also of the session and the group; 0 when none runs
	master *os.File // of its terminal, or nil
	size   *windowChange
}

func (r *running) set(pid int, master *os.File) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leader, r.master = pid, master
	if master != nil && r.size != nil {
		_ = resizePTY(master, *r.size) // a terminal of the old size is better than none
	}
}

// clear is called once the process is dead and before its pid can be somebody else's.
func (r *running) clear() { r.set(0, nil) }

// signal sends a signal to the command's process group.
func (r *running) signal(name string) bool {
	sig, ok := signalByName(name)
	return ok && r.kill(sig)
}

func (r *running) kill(sig syscall.Signal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leader != 0 && syscall.Kill(-r.leader, sig) == nil
}

func (r *running) resize(payload []byte) bool {
	w, ok := parseWindowChange(payload)
	if !ok {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = &w // for a terminal that is about to be opened
	return r.master == nil || resizePTY(r.master, w) == nil
}

// execute runs cmd and returns when it has ended and its output is delivered. The error
// is an *exec.ExitError for a status that is not 0, errClientGone, or one of starting.
func (s *session) execute(cmd *exec.Cmd) error {
	var st *streams
	var err error
	if s.pty != nil {
		st, err = s.terminal(cmd)
	} else {
		st, err = s.pipes(cmd)
	}
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		st.closeAll()
		return fmt.Errorf("start the command: %w", err)
	}
	s.run.set(cmd.Process.Pid, st.master)
	st.started()
	return s.await(cmd, st)
}

// await ends with the command or with the client, whichever is first.
func (s *session) await(cmd *exec.Cmd, st *streams) error {
	copied := make(chan struct{})
	go func() {
		st.copyOutput(s.ch)
		close(copied)
	}()
	s.conn.work.Go(func() { st.copyInput(s.ch) })

	exited := make(chan error, 1)
	go func() { exited <- s.reap(cmd) }()
	var err error
	select {
	case err = <-exited:
		st.ending()
	case <-s.gone:
		s.run.kill(syscall.SIGHUP)
		st.closeAll()
		err = errClientGone
	}
	<-copied
	st.closeAll()
	return err
}

// reap waits for the command without collecting it, forgets its pid, then collects it:
// no signal can meet another process that got the same pid.
func (s *session) reap(cmd *exec.Cmd) error {
	waitWithoutReaping(cmd.Process.Pid)
	s.run.clear()
	return cmd.Wait()
}

// pipes gives cmd three pipes.
func (s *session) pipes(cmd *exec.Cmd) (*streams, error) {
	st := &streams{}
	var files [6]*os.File
	for i := 0; i < len(files); i += 2 {
		r, w, err := os.Pipe()
		if err != nil {
			st.closeAll()
			return nil, fmt.Errorf("make a pipe: %w", err)
		}
		files[i], files[i+1] = r, w //nolint:gosec // i is below the last
		st.files = append(st.files, r, w)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[3], files[5]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	st.theirs = []*os.File{files[0], files[3], files[5]}
	st.in = files[1]
	st.outputs = []output{{files[2], stdout}, {files[4], stderr}}
	return st, nil
}

// terminal gives cmd a pseudo-terminal as its controlling one.
func (s *session) terminal(cmd *exec.Cmd) (*streams, error) {
	master, slave, err := s.pty.open()
	if err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(cmd.Env, "SSH_TTY="+slave.Name())
	if s.pty.term != "" {
		cmd.Env = append(cmd.Env, "TERM="+s.pty.term)
	}
	return &streams{
		files:   []*os.File{master, slave},
		theirs:  []*os.File{slave},
		in:      master,
		master:  master,
		outputs: []output{{master, stdout}},
	}, nil
}

// connectionEnv are the variables that sshd(8) sets for every command.
func (s *session) connectionEnv() []string {
	rhost, rport := splitAddr(s.conn.ssh.RemoteAddr())
	lhost, lport := splitAddr(s.conn.ssh.LocalAddr())
	r, l := strconv.Itoa(rport), strconv.Itoa(lport)
	env := []string{
		"SSH_CLIENT=" + rhost + " " + r + " " + l,
		"SSH_CONNECTION=" + rhost + " " + r + " " + lhost + " " + l,
	}
	if s.agent != nil {
		env = append(env, "SSH_AUTH_SOCK="+s.agent.path)
	}
	return env
}
