// Package publicip makes loopback addresses of the host the machines' public addresses:
// any TCP port of such an address leads to the same port of its machine, as far as the
// machine's security rules allow the peer's address. 127.0.0.0/8 stands for the Internet.
// Only packages under internal/azlocal/machine import it.
package publicip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/hostcmd"
)

// dialTimeout bounds the way from the public address into the machine.
const dialTimeout = 10 * time.Second

// Way leads to a machine.
type Way struct {
	// Dial connects to a TCP port of the machine.
	Dial func(ctx context.Context, port uint16) (*net.TCPConn, error)
	// Taken is told of each connection that the machine took, and how to cut it.
	Taken func(port uint16, cut func()) machine.Line
}

// Forwarder serves one range of addresses.
type Forwarder struct {
	table    string
	public   netip.Prefix
	listener *net.TCPListener
	log      *slog.Logger
	ctx      context.Context // ends with Close; bounds dials
	cancel   context.CancelFunc
	all      sync.WaitGroup

	mu      sync.Mutex
	targets map[netip.Addr]*target
}

type target struct {
	way   Way
	rules []machine.Rule
	conns map[*connection]bool
}

// Table is the name of an instance's only table of firewall rules.
func Table(id string) string { return "mngr_azlocal_" + id }

// New starts forwarding for an instance. It replaces the table that an earlier process of
// the same instance has left.
func New(ctx context.Context, id string, public netip.Prefix, log *slog.Logger) (*Forwarder, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the public addresses: %w", err)
	}
	f := &Forwarder{table: Table(id), public: public.Masked(), listener: l.(*net.TCPListener), log: log,
		targets: map[netip.Addr]*target{}}
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := f.apply(ctx); err != nil {
		l.Close()
		return nil, err
	}
	f.all.Go(f.serve)
	return f, nil
}

// Set leads a public address to a machine, or replaces its rules. Connections that exist
// stay.
func (f *Forwarder) Set(ctx context.Context, addr netip.Addr, way Way, rules []machine.Rule) error {
	if !f.public.Contains(addr) {
		return fmt.Errorf("public address %s is outside %s", addr, f.public)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[addr]
	if t == nil {
		t = &target{conns: map[*connection]bool{}}
		f.targets[addr] = t
	}
	t.way, t.rules = way, rules
	return f.apply(ctx)
}

// Unset makes an address silent and ends its connections.
func (f *Forwarder) Unset(ctx context.Context, addr netip.Addr) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[addr]
	if t == nil {
		return nil
	}
	delete(f.targets, addr)
	for conn := range t.conns {
		conn.close()
	}
	return f.apply(ctx)
}

// Close stops forwarding. The table stays, so that the addresses are silent rather than
// the host's, unless remove is true.
func (f *Forwarder) Close(ctx context.Context, remove bool) error {
	f.cancel()
	err := f.listener.Close()
	f.mu.Lock()
	for _, t := range f.targets {
		for conn := range t.conns {
			conn.close()
		}
	}
	f.targets = map[netip.Addr]*target{}
	if remove {
		err = errors.Join(err, RemoveTable(ctx, f.table))
	} else {
		err = errors.Join(err, f.apply(ctx))
	}
	f.mu.Unlock()
	f.all.Wait()
	return err
}

// RemoveTable removes an instance's table; none is fine.
func RemoveTable(ctx context.Context, table string) error {
	_, err := hostcmd.Feed(ctx, strings.NewReader("add table ip "+table+"\ndelete table ip "+table+"\n"), "nft", "-f", "-")
	if err != nil {
		return fmt.Errorf("remove the firewall table %s: %w", table, err)
	}
	return nil
}

func (f *Forwarder) apply(ctx context.Context) error {
	rules := map[netip.Addr][]machine.Rule{}
	for addr, t := range f.targets {
		rules[addr] = t.rules
	}
	port := uint16(f.listener.Addr().(*net.TCPAddr).Port)
	text := ruleset(f.table, f.public, port, rules)
	if _, err := hostcmd.Feed(ctx, strings.NewReader(text), "nft", "-f", "-"); err != nil {
		return fmt.Errorf("set the rules of the public addresses: %w", err)
	}
	return nil
}

func (f *Forwarder) serve() {
	for {
		client, err := f.listener.AcceptTCP()
		if err != nil {
			return
		}
		f.all.Go(func() { f.forward(client) })
	}
}

// forward cuts a connection off hard where the machine does not take it: the closest that
// a forwarder comes to the refusal that the machine would have sent itself.
func (f *Forwarder) forward(client *net.TCPConn) {
	defer client.Close()
	_ = client.SetLinger(0)
	addr, err := originalDestination(client)
	if err != nil {
		f.log.Debug("public address", "err", err)
		return
	}
	conn := &connection{client: client}
	way, release := f.claim(addr.Addr(), conn)
	if release == nil {
		return
	}
	defer release()
	ctx, cancel := context.WithTimeout(f.ctx, dialTimeout)
	defer cancel()
	inside, err := way.Dial(ctx, addr.Port())
	if err != nil {
		f.log.Debug("public address", "addr", addr, "err", err)
		return
	}
	defer inside.Close()
	line := way.Taken(addr.Port(), conn.reset)
	defer line.Close()
	if !f.lead(addr.Addr(), conn, inside, line) {
		return
	}
	if _, err := line.Pass(f.ctx, 0); err != nil {
		return
	}
	_ = client.SetLinger(-1)
	conn.splice(f.ctx)
}

// claim notes a connection with its target, so that Unset can end it.
func (f *Forwarder) claim(addr netip.Addr, conn *connection) (Way, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[addr]
	if t == nil {
		return Way{}, nil
	}
	t.conns[conn] = true
	return t.way, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(t.conns, conn)
	}
}

// lead notes where a connection leads to, unless it has been cut off meanwhile.
func (f *Forwarder) lead(addr netip.Addr, conn *connection, inside *net.TCPConn, line machine.Line) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[addr]
	if t == nil || !t.conns[conn] {
		return false
	}
	conn.lead(inside, line)
	return true
}

// originalDestination is the address that the client dialled, before the redirection
// (SO_ORIGINAL_DST in linux/netfilter_ipv4.h, a struct sockaddr_in).
func originalDestination(c *net.TCPConn) (netip.AddrPort, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, err
	}
	const originalDst = 80
	var sockaddr unix.RawSockaddrInet4
	var errno unix.Errno
	err = raw.Control(func(fd uintptr) {
		size := uint32(unsafe.Sizeof(sockaddr))
		_, _, errno = unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_IP, originalDst,
			uintptr(unsafe.Pointer(&sockaddr)), uintptr(unsafe.Pointer(&size)), 0)
	})
	if err != nil {
		return netip.AddrPort{}, err
	}
	if errno != 0 {
		return netip.AddrPort{}, fmt.Errorf("ask for the dialled address: %w", errno)
	}
	port := (*[2]byte)(unsafe.Pointer(&sockaddr.Port))
	return netip.AddrPortFrom(netip.AddrFrom4(sockaddr.Addr), uint16(port[0])<<8|uint16(port[1])), nil
}
