// Package netns opens sockets and runs tools inside another network namespace. The azlocal
// daemon stays in the host's namespace, and yet answers at addresses that exist only inside
// a machine's network. Only packages under internal/azlocal/machine import it.
package netns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"mngr/internal/azlocal/machine/hostcmd"
)

// Namespace is an open network namespace. It lives at least until Close.
type Namespace struct{ file *os.File }

// Open opens a network namespace by its file.
func Open(path string) (*Namespace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	return &Namespace{file: file}, nil
}

// OfProcess opens the network namespace of a running process.
func OfProcess(pid int) (*Namespace, error) { return Open(fmt.Sprintf("/proc/%d/ns/net", pid)) }

// Same reports whether both are one namespace.
func (n *Namespace) Same(other *Namespace) bool {
	a, err := n.file.Stat()
	if err != nil {
		return false
	}
	b, err := other.file.Stat()
	return err == nil && os.SameFile(a, b)
}

// Close releases the namespace. Sockets opened in it stay in it.
func (n *Namespace) Close() error { return n.file.Close() }

// Do calls f on a thread that is inside the namespace. Goroutines started by f are not.
func (n *Namespace) Do(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- n.onOwnThread(f) }()
	return <-done
}

// onOwnThread unlocks the thread only when it is back in the host's namespace: otherwise
// the runtime ends the thread together with the goroutine.
func (n *Namespace) onOwnThread(f func() error) error {
	runtime.LockOSThread()
	host, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer host.Close()
	if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	result := f()
	if unix.Setns(int(host.Fd()), unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return result
}

// ListenTCP listens inside the namespace, only on the named device unless that is empty.
func (n *Namespace) ListenTCP(ctx context.Context, addr netip.AddrPort, device string) (net.Listener, error) {
	config := net.ListenConfig{Control: bindTo(device)}
	var l net.Listener
	err := n.Do(func() (err error) {
		l, err = config.Listen(ctx, "tcp4", addr.String())
		return err
	})
	return l, err
}

// ListenUDP is ListenTCP for datagrams, on every device.
func (n *Namespace) ListenUDP(addr netip.AddrPort) (*net.UDPConn, error) {
	var c *net.UDPConn
	err := n.Do(func() (err error) {
		c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr))
		return err
	})
	return c, err
}

// DialTCP connects from inside the namespace.
func (n *Namespace) DialTCP(ctx context.Context, addr netip.AddrPort) (*net.TCPConn, error) {
	var c net.Conn
	err := n.Do(func() (err error) {
		// A literal address: the dialer needs no second goroutine, which would be outside.
		c, err = new(net.Dialer).DialContext(ctx, "tcp4", addr.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// Sysctl sets a network setting of the namespace; the path is below /proc/sys/net.
func (n *Namespace) Sysctl(path, value string) error {
	return n.Do(func() error { return os.WriteFile("/proc/sys/net/"+path, []byte(value), 0) })
}

// Path names the namespace for tools that this process starts, until Close.
func (n *Namespace) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd()) }

// Feed runs a tool of the host inside the namespace with the given standard input.
func (n *Namespace) Feed(ctx context.Context, stdin, tool string, args ...string) error {
	enter := []string{"--net=" + n.Path(), "--", tool}
	_, err := hostcmd.Feed(ctx, strings.NewReader(stdin), "nsenter", append(enter, args...)...)
	return err
}

func bindTo(device string) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		if device == "" {
			return nil
		}
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, device)
		})
		if err != nil {
			return err
		}
		return failed
	}
}
