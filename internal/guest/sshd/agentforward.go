package sshd

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// agentForward is the socket in the container that leads to the client's SSH agent, made
// only when a session asks for it and gone with that session.
type agentForward struct {
	forward
	dir  string
	path string
}

func (c *conn) forwardAgent() (*agentForward, error) {
	dir, err := os.MkdirTemp("", "ssh-") // 0700
	if err != nil {
		return nil, fmt.Errorf("forward the agent: %w", err)
	}
	a := &agentForward{dir: dir, path: filepath.Join(dir, "agent")}
	ln, err := listenPrivate(a.path)
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("forward the agent: %w", err)
	}
	a.forward = forward{ln, "auth-agent@openssh.com", func(net.Conn) []byte { return nil }}
	c.work.Go(func() { c.acceptForward(&a.forward) })
	return a, nil
}

func (a *agentForward) close() {
	if a == nil {
		return
	}
	a.Close()
	os.RemoveAll(a.dir)
}
