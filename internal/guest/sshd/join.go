package sshd

import (
	"context"
	"io"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"
)

// stream is a connection whose two directions can be closed one at a time.
type stream interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// touching reports every piece of data that is read through it.
type touching struct {
	io.Reader
	touch func()
}

func (t touching) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if n > 0 {
		t.touch()
	}
	return n, err
}

// join copies both ways between an accepted channel and a connection, passes the end of
// each direction on, and returns with both closed.
func (c *conn) join(ch ssh.Channel, reqs <-chan *ssh.Request, nc stream) {
	defer context.AfterFunc(c.ctx, func() { nc.Close() })()
	touch := c.srv.cfg.Activity.Touch

	toConn := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		defer close(toConn)
		if _, err := io.Copy(nc, touching{ch, touch}); err != nil {
			nc.Close()
			return
		}
		nc.CloseWrite()
	})
	all.Go(func() {
		io.Copy(ch, touching{nc, touch})
		ch.CloseWrite()
		<-toConn
		ch.Close()
	})
	all.Go(func() {
		ssh.DiscardRequests(reqs)
		<-toConn // what the client sent before it closed the channel still arrives
		nc.Close()
	})
	all.Wait()
}

var _ = []stream{(*net.TCPConn)(nil), (*net.UnixConn)(nil)}
