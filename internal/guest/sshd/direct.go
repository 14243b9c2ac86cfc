package sshd

import (
	"net"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
)

const dialTimeout = 30 * time.Second

// serveDirectTCP serves `ssh -L` (RFC 4254, 7.2).
func (c *conn) serveDirectTCP(nc ssh.NewChannel) {
	var m struct {
		Host       string
		Port       uint32
		Originator string
		OrigPort   uint32
	}
	if err := ssh.Unmarshal(nc.ExtraData(), &m); err != nil || m.Port > 0xffff {
		nc.Reject(ssh.ConnectionFailed, "malformed request")
		return
	}
	c.dial(nc, "tcp", net.JoinHostPort(m.Host, strconv.Itoa(int(m.Port))))
}

// serveDirectUnix serves `ssh -L port:/path` (OpenSSH's PROTOCOL, 2.4).
func (c *conn) serveDirectUnix(nc ssh.NewChannel) {
	var m struct {
		Path      string
		Reserved  string
		Reserved2 uint32
	}
	if err := ssh.Unmarshal(nc.ExtraData(), &m); err != nil {
		nc.Reject(ssh.ConnectionFailed, "malformed request")
		return
	}
	c.dial(nc, "unix", m.Path)
}

func (c *conn) dial(nc ssh.NewChannel, network, address string) {
	d := net.Dialer{Timeout: dialTimeout}
	target, err := d.DialContext(c.ctx, network, address)
	if err != nil {
		nc.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer target.Close()
	ch, reqs, err := nc.Accept()
	if err != nil {
		return
	}
	c.join(ch, reqs, target.(stream))
}
