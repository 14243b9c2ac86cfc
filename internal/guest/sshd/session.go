package sshd

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"

	"golang.org/x/crypto/ssh"

	"mngr/internal/ctl"
)

// statusNotRun is the exit status of a session whose command did not start, as ssh's own.
const statusNotRun = 255

// session is one channel of type "session": requests that describe a command, one that
// starts it, then requests that steer it.
type session struct {
	conn  *conn
	ch    ssh.Channel
	env   clientEnv
	pty   *ptyRequest
	agent *agentForward
	gone  chan struct{} // closed when the client has closed the channel

	started bool
	run     running
}

func (c *conn) serveSession(nc ssh.NewChannel) {
	ch, reqs, err := nc.Accept()
	if err != nil {
		return
	}
	s := &session{conn: c, ch: ch, gone: make(chan struct{})}
	for req := range reqs {
		s.handle(req)
	}
	close(s.gone)
	s.agent.close()
	if !s.started {
		ch.Close()
	}
}

// handle answers one request. The answer precedes what a started command writes.
func (s *session) handle(req *ssh.Request) {
	reply := func(ok bool) {
		if req.WantReply {
			req.Reply(ok, nil)
		}
	}
	start, ok := s.startRequest(req)
	if !ok {
		reply(s.describe(req))
		return
	}
	if s.started || start == nil {
		reply(false)
		return
	}
	s.started = true
	reply(true)
	s.conn.work.Go(func() { s.serve(*start) })
}

// program is what a session runs: a command line for /bin/sh, an argv, or (neither) an
// interactive shell.
type program struct {
	line  string
	argv  []string
	shell bool
}

// startRequest recognizes the requests that start something; nil is one that is wrong.
func (s *session) startRequest(req *ssh.Request) (p *program, ok bool) {
	switch req.Type {
	case "shell":
		return &program{shell: true}, true
	case "exec":
		var m struct{ Command string }
		if ssh.Unmarshal(req.Payload, &m) != nil {
			return nil, true
		}
		return &program{line: m.Command}, true
	case "subsystem":
		var m struct{ Name string }
		if ssh.Unmarshal(req.Payload, &m) != nil || m.Name != "sftp" {
			return nil, true
		}
		return &program{argv: s.conn.srv.cfg.SFTP}, true
	}
	return nil, false
}

// describe handles a request that starts nothing.
func (s *session) describe(req *ssh.Request) bool {
	switch req.Type {
	case "env":
		var m struct{ Name, Value string }
		return ssh.Unmarshal(req.Payload, &m) == nil && !s.started && s.env.set(m.Name, m.Value)
	case "pty-req":
		p, err := parsePTY(req.Payload)
		if err != nil || s.started || s.pty != nil {
			return false
		}
		s.pty = p
		return true
	case "auth-agent-req@openssh.com":
		if s.started || s.agent != nil {
			return false
		}
		a, err := s.conn.forwardAgent()
		s.agent = a
		return err == nil
	case "window-change":
		return s.run.resize(req.Payload)
	case "signal":
		var m struct{ Name string }
		return ssh.Unmarshal(req.Payload, &m) == nil && s.run.signal(m.Name)
	}
	return false
}

// serve runs the program and tells the client how it ended.
func (s *session) serve(p program) {
	defer s.ch.Close()
	if !s.conn.srv.cfg.Quiet(p.line) {
		defer s.conn.srv.cfg.Activity.Begin()()
	}
	cmd, err := s.command(s.conn.ctx, p)
	if err == nil {
		err = s.execute(cmd)
	}
	if errors.Is(err, errClientGone) {
		return
	}
	s.sendExit(err)
}

func (s *session) command(ctx context.Context, p program) (*exec.Cmd, error) {
	place, err := s.conn.srv.cfg.Place(ctx, s.env.get(ctl.EnvAgent))
	if err != nil {
		return nil, err
	}
	env := append(place.Env, s.env.list()...)
	env = append(env, s.connectionEnv()...)
	argv, arg0 := p.resolve(env)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Args[0] = arg0
	cmd.Dir, cmd.Env = place.Dir, env
	return cmd, nil
}

// sendExit sends exit-status or exit-signal (RFC 4254, 6.10) after the end of output.
func (s *session) sendExit(err error) {
	exit, ended := errors.AsType[*exec.ExitError](err)
	if err != nil && !ended {
		fmt.Fprintf(s.ch.Stderr(), "mngrd: %v\r\n", err)
	}
	s.ch.CloseWrite()
	status := uint32(statusNotRun)
	switch {
	case err == nil:
		status = 0
	case ended:
		ws := exit.Sys().(syscall.WaitStatus)
		if name, ok := signalName(ws); ok {
			s.ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
				Name    string
				Core    bool
				Message string
				Lang    string
			}{name, ws.CoreDump(), "", ""}))
			return
		}
		status = uint32(exitStatus(ws)) //nolint:gosec // an exit status is from 0 to 255
	}
	s.ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
}
