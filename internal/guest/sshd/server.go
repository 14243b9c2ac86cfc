package sshd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	handshakeTimeout = 30 * time.Second // for key exchange and login together
	maxAuthTries     = 10               // people offer many keys; none of them can be guessed
	maxLobby         = 64               // connections that are not logged in yet
)

// Activity is told what the server does, so that somebody else can decide that a host is
// idle. Its methods are called often and from many goroutines.
type Activity interface {
	// Begin says that a command or terminal runs until the returned function is called.
	Begin() (end func())
	// Touch says that bytes went through a forward.
	Touch()
}

// Place is where a session's command runs.
type Place struct {
	Dir string
	Env []string // complete, as KEY=VALUE
}

// Config is what a server needs. All fields but Quiet are required.
type Config struct {
	HostKey        ssh.Signer
	AuthorizedKeys string // path of a file in authorized_keys form, read at each connection

	// Place finds the place of a session; name is the value of MNGR_AGENT, or "". Its
	// error is shown to the client, whose session then ends with status 255.
	Place func(ctx context.Context, name string) (Place, error)

	SFTP     []string // argv of a program that speaks SFTP on its standard streams
	Activity Activity
	Quiet    func(command string) bool // commands that are no activity; nil for none
	Log      *slog.Logger
}

// Server serves SSH connections.
type Server struct {
	cfg   Config
	lobby lobby
}

// New returns a server that has not started.
func New(cfg Config) *Server {
	if cfg.Quiet == nil {
		cfg.Quiet = func(string) bool { return false }
	}
	return &Server{cfg: cfg, lobby: lobby{limit: maxLobby}}
}

// Serve accepts connections until ctx ends, then closes the listener and all connections
// and returns nil once they are gone. Commands still running then have got SIGHUP.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer func() {
		cancel()
		conns.Wait()
	}()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			conns.Go(func() { s.serve(ctx, nc) })
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept SSH connections: %w", err)
		default: // out of file descriptors, or a client gone before we looked
			s.cfg.Log.Warn("accept", "err", err)
			wait(ctx, 100*time.Millisecond)
		}
	}
}

func (s *Server) serve(ctx context.Context, nc net.Conn) {
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	log := s.cfg.Log.With("client", nc.RemoteAddr().String())

	leave := s.lobby.enter(nc)
	nc.SetDeadline(time.Now().Add(handshakeTimeout))
	sc, chans, reqs, err := ssh.NewServerConn(nc, s.login(log))
	leave()
	if err != nil {
		log.Debug("login failed", "err", err)
		return
	}
	nc.SetDeadline(time.Time{})
	c := newConn(ctx, s, sc, log)
	c.serve(chans, reqs)
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
