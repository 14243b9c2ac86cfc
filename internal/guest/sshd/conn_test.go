package sshd

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// deaf is a connection as x/crypto's is for a moment after it has ended: the request for a
// channel can still be written, and nobody is there for the answer.
type deaf struct {
	ssh.Conn
	t *testing.T
}

func (d deaf) OpenChannel(string, []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	<-d.t.Context().Done()
	return nil, nil, io.EOF
}

// A forwarded connection that comes as its client goes must not keep the server: mngrd's
// end waits for it.
func TestOpenChannelEndsWithTheConnection(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	c := newConn(ctx, New(Config{Log: slog.New(slog.DiscardHandler)}), &ssh.ServerConn{Conn: deaf{t: t}}, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() {
		_, _, err := c.openChannel("forwarded-tcpip", nil)
		ended <- err
	}()
	hangUp()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a channel on a connection that has ended")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it still waits")
	}
}
