package fabric

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"mngr/internal/azlocal/machine/netns"
)

// queryTimeout bounds one question to the host's resolver.
const queryTimeout = 5 * time.Second

// Resolver is the machines' DNS server on the wire server's address. It hands every
// question, unread, to the resolver of the host, which a machine could not reach itself
// where it listens on loopback.
type Resolver struct {
	packets *net.UDPConn
	streams net.Listener
	log     *slog.Logger
	slots   chan struct{}
	all     sync.WaitGroup
}

// Resolve starts a resolver in the router's namespace.
func Resolve(ctx context.Context, ns *netns.Namespace, log *slog.Logger) (*Resolver, error) {
	addr := netip.AddrPortFrom(WireServer(), 53)
	packets, err := ns.ListenUDP(addr)
	if err != nil {
		return nil, err
	}
	streams, err := ns.ListenTCP(ctx, addr, "")
	if err != nil {
		packets.Close()
		return nil, err
	}
	r := &Resolver{packets: packets, streams: streams, log: log, slots: make(chan struct{}, 64)}
	r.all.Go(r.servePackets)
	r.all.Go(r.serveStreams)
	return r, nil
}

// Close ends it and waits for the questions under way.
func (r *Resolver) Close() error {
	err := errors.Join(r.packets.Close(), r.streams.Close())
	r.all.Wait()
	return err
}

func (r *Resolver) servePackets() {
	for {
		question := make([]byte, 4096)
		n, peer, err := r.packets.ReadFromUDPAddrPort(question)
		if err != nil {
			return
		}
		r.slots <- struct{}{}
		r.all.Go(func() {
			defer func() { <-r.slots }()
			answer, err := ask(question[:n])
			if err != nil {
				r.log.Debug("resolver", "err", err)
				return
			}
			_, _ = r.packets.WriteToUDPAddrPort(answer, peer)
		})
	}
}

func ask(question []byte) ([]byte, error) {
	upstream, err := dialUpstream("udp")
	if err != nil {
		return nil, err
	}
	defer upstream.Close()
	if _, err := upstream.Write(question); err != nil {
		return nil, err
	}
	answer := make([]byte, 65535)
	n, err := upstream.Read(answer)
	return answer[:n], err
}

func (r *Resolver) serveStreams() {
	for {
		client, err := r.streams.Accept()
		if err != nil {
			return
		}
		r.slots <- struct{}{}
		r.all.Go(func() {
			defer func() { <-r.slots }()
			defer client.Close()
			upstream, err := dialUpstream("tcp")
			if err != nil {
				return
			}
			defer upstream.Close()
			_ = client.SetDeadline(time.Now().Add(queryTimeout))
			go func() { _, _ = io.Copy(upstream, client) }()
			_, _ = io.Copy(client, upstream)
		})
	}
}

// dialUpstream reads the host's settings each time: a laptop's change with its network.
func dialUpstream(network string) (net.Conn, error) {
	file, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	//nolint:noctx // a question ends with its timeout; nobody waits who could cancel it
	conn, err := net.DialTimeout(network, net.JoinHostPort(nameserver(file), "53"), queryTimeout)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(queryTimeout))
}

// nameserver is the first one of a resolv.conf; without any, resolv.conf(5) means the
// local one.
func nameserver(conf io.Reader) string {
	for lines := bufio.NewScanner(conf); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) >= 2 && f[0] == "nameserver" {
			return f[1]
		}
	}
	return "127.0.0.1"
}
