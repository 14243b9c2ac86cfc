package sshd

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	keepaliveEvery = 30 * time.Second
	keepaliveGrace = 90 * time.Second // without an answer: the client is gone
	maxChannels    = 512              // open at once on one connection
)

// conn is one logged-in client.
type conn struct {
	srv *Server
	ssh *ssh.ServerConn
	log *slog.Logger
	ctx context.Context // ends with the connection

	open    atomic.Int64   // channels
	work    sync.WaitGroup // everything that must be gone before serve returns
	listens listeners
}

func newConn(ctx context.Context, s *Server, sc *ssh.ServerConn, log *slog.Logger) *conn {
	return &conn{srv: s, ssh: sc, log: log, ctx: ctx, listens: listeners{open: make(map[string]*forward)}}
}

// serve handles requests and channels until the client is gone.
func (c *conn) serve(chans <-chan ssh.NewChannel, reqs <-chan *ssh.Request) {
	ctx, cancel := context.WithCancel(c.ctx)
	c.ctx = ctx
	c.work.Go(func() { c.serveRequests(reqs) })
	c.work.Go(c.keepalive)
	for ch := range chans {
		c.serveChannel(ch)
	}
	cancel()
	c.ssh.Close()
	c.listens.closeAll()
	c.work.Wait()
}

func (c *conn) serveChannel(ch ssh.NewChannel) {
	handle := map[string]func(ssh.NewChannel){
		"session":                        c.serveSession,
		"direct-tcpip":                   c.serveDirectTCP,
		"direct-streamlocal@openssh.com": c.serveDirectUnix,
	}[ch.ChannelType()]
	if handle == nil {
		ch.Reject(ssh.UnknownChannelType, "unknown channel type")
		return
	}
	if c.open.Add(1) > maxChannels {
		c.open.Add(-1)
		ch.Reject(ssh.ResourceShortage, "too many channels on this connection")
		return
	}
	c.work.Go(func() {
		defer c.open.Add(-1)
		handle(ch)
	})
}

func (c *conn) serveRequests(reqs <-chan *ssh.Request) {
	for req := range reqs {
		ok, payload := c.handleRequest(req)
		if req.WantReply {
			req.Reply(ok, payload)
		}
	}
}

// handleRequest answers a global request. Refusing an unknown one is an answer too, all
// that a client's keepalive@openssh.com asks for.
func (c *conn) handleRequest(req *ssh.Request) (ok bool, payload []byte) {
	switch req.Type {
	case "tcpip-forward":
		return c.listenTCP(req.Payload)
	case "cancel-tcpip-forward":
		return c.cancelTCP(req.Payload), nil
	case "streamlocal-forward@openssh.com":
		return c.listenUnix(req.Payload), nil
	case "cancel-streamlocal-forward@openssh.com":
		return c.cancelUnix(req.Payload), nil
	}
	return false, nil
}

// openChannel opens a channel to the client. On a connection that has just ended x/crypto may
// wait for the answer for ever, and serve would not return: its mux forgets the channels
// there are before it closes the connection (golang.org/x/crypto/ssh, mux.loop).
func (c *conn) openChannel(kind string, payload []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	type opened struct {
		ch   ssh.Channel
		reqs <-chan *ssh.Request
		err  error
	}
	answer := make(chan opened, 1)
	go func() {
		ch, reqs, err := c.ssh.OpenChannel(kind, payload)
		answer <- opened{ch, reqs, err}
	}()
	select {
	case o := <-answer:
		return o.ch, o.reqs, o.err
	case <-c.ctx.Done():
		return nil, nil, context.Cause(c.ctx)
	}
}

// keepalive drops a client that no longer answers (a laptop that sleeps): its sessions
// would count as activity for ever.
func (c *conn) keepalive() {
	tick := time.NewTicker(keepaliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
		drop := time.AfterFunc(keepaliveGrace, func() { c.ssh.Close() })
		_, _, err := c.ssh.SendRequest("keepalive@openssh.com", true, nil)
		drop.Stop()
		if err != nil {
			return
		}
	}
}
