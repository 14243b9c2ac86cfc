package sshd

import (
	"net"
	"os"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// forward is one listener that a client asked for with `ssh -R`.
type forward struct {
	net.Listener
	channel string                     // type of the channels it opens
	payload func(peer net.Conn) []byte // what describes such a channel
}

// listeners are a connection's forwards by their requested address.
type listeners struct {
	mu     sync.Mutex
	closed bool
	open   map[string]*forward
}

func (l *listeners) add(key string, f *forward) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.open[key] != nil || len(l.open) >= maxChannels {
		return false
	}
	l.open[key] = f
	return true
}

func (l *listeners) close(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.open[key]
	delete(l.open, key)
	return f != nil && f.Close() == nil
}

func (l *listeners) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, f := range l.open {
		f.Close()
	}
}

type tcpForward struct {
	Host string
	Port uint32
}

func (t tcpForward) key() string { return "tcp " + net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// listenTCP serves tcpip-forward (RFC 4254, 7.1). Whatever address the client names, the
// listener is on loopback, as sshd does without GatewayPorts.
func (c *conn) listenTCP(payload []byte) (bool, []byte) {
	var m tcpForward
	if err := ssh.Unmarshal(payload, &m); err != nil || m.Port > 0xffff {
		return false, nil
	}
	ln, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(m.Port))))
	if err != nil {
		c.log.Info("forward refused", "err", err)
		return false, nil
	}
	var reply []byte
	if m.Port == 0 {
		m.Port = uint32(ln.Addr().(*net.TCPAddr).Port) //nolint:gosec // a port has 16 bits
		reply = ssh.Marshal(struct{ Port uint32 }{m.Port})
	}
	f := &forward{ln, "forwarded-tcpip", func(peer net.Conn) []byte {
		host, port := splitAddr(peer.RemoteAddr())
		return ssh.Marshal(struct {
			Host     string // as requested: clients find their target by it
			Port     uint32
			PeerHost string
			PeerPort uint32
		}{m.Host, m.Port, host, uint32(port)}) //nolint:gosec // a port has 16 bits
	}}
	return c.serveForward(m.key(), f), reply
}

func (c *conn) cancelTCP(payload []byte) bool {
	var m tcpForward
	return ssh.Unmarshal(payload, &m) == nil && c.listens.close(m.key())
}

// listenUnix serves streamlocal-forward@openssh.com (OpenSSH's PROTOCOL, 2.4). The socket
// is root's alone; an existing file is never replaced.
func (c *conn) listenUnix(payload []byte) bool {
	var m struct{ Path string }
	if err := ssh.Unmarshal(payload, &m); err != nil || m.Path == "" {
		return false
	}
	ln, err := listenPrivate(m.Path)
	if err != nil {
		c.log.Info("forward refused", "err", err)
		return false
	}
	f := &forward{ln, "forwarded-streamlocal@openssh.com", func(net.Conn) []byte {
		return ssh.Marshal(struct{ Path, Reserved string }{m.Path, ""})
	}}
	return c.serveForward("unix "+m.Path, f)
}

func (c *conn) cancelUnix(payload []byte) bool {
	var m struct{ Path string }
	return ssh.Unmarshal(payload, &m) == nil && c.listens.close("unix "+m.Path)
}

func (c *conn) serveForward(key string, f *forward) bool {
	if !c.listens.add(key, f) {
		f.Close()
		return false
	}
	c.work.Go(func() { c.acceptForward(f) })
	return true
}

// acceptForward opens a channel to the client for each connection.
func (c *conn) acceptForward(f *forward) {
	var peers sync.WaitGroup
	defer peers.Wait()
	for {
		peer, err := f.Accept()
		if err != nil {
			return
		}
		peers.Go(func() {
			defer peer.Close()
			ch, reqs, err := c.openChannel(f.channel, f.payload(peer))
			if err == nil {
				c.join(ch, reqs, peer.(stream))
			}
		})
	}
}

// listenPrivate makes a Unix socket with mode 0600. The umask belongs to the process, so
// the mode is set on the file; connecting needs write permission on it (unix(7)).
func listenPrivate(path string) (net.Listener, error) {
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if len(path) > 0 && path[0] == '@' {
		return ln, nil
	}
	if err := os.Chmod(path, unix.S_IRUSR|unix.S_IWUSR); err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}
