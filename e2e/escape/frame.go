//go:build linux

package escape

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// udpPort is port as the frames carry it.
const udpPort = 4711

// tell is what serve understands: it sends a word to the address that follows. So what went
// out under a forged address is answered to the true one.
const tell = "tell "

// frame4 sends the machine a datagram that claims to come from the machine's own subnet, in
// an Ethernet frame of its own making.
func frame4(ctx context.Context, t targets) error {
	return withReply(ctx, t, func(reply string) error {
		src := net.ParseIP(t.bridge).To4()
		src = net.IPv4(src[0], src[1], src[2], src[3]+100).To4() // a container that does not exist
		udp := datagram(reply)
		head := make([]byte, 20)
		head[0], head[8], head[9] = 0x45, 64, unix.IPPROTO_UDP
		binary.BigEndian.PutUint16(head[2:], uint16(len(head)+len(udp))) //nolint:gosec // a few bytes
		copy(head[12:], src)
		copy(head[16:], net.ParseIP(t.bridge).To4())
		binary.BigEndian.PutUint16(head[10:], ^sum(0, head)) // no UDP checksum: IPv4 needs none
		return sendFrame(t.bridge, unix.ETH_P_IP, slices.Concat(head, udp))
	})
}

// frame6 sends the machine a datagram over IPv6, which the container's own kernel has
// switched off.
func frame6(ctx context.Context, t targets) error {
	return withReply(ctx, t, func(reply string) error {
		dst := net.ParseIP(t.bridge6)
		if dst == nil {
			return fmt.Errorf("no IPv6 address %q", t.bridge6)
		}
		udp := datagram(reply)
		head := make([]byte, 40)
		head[0], head[6], head[7] = 0x60, unix.IPPROTO_UDP, 64
		binary.BigEndian.PutUint16(head[4:], uint16(len(udp))) //nolint:gosec // a few bytes
		copy(head[8:], net.ParseIP("fe80::4711"))
		copy(head[24:], dst)
		pseudo := sum(uint32(len(udp))+unix.IPPROTO_UDP, head[8:40]) //nolint:gosec // a few bytes
		binary.BigEndian.PutUint16(udp[6:], ^sum(uint32(pseudo), udp))
		return sendFrame(t.bridge, unix.ETH_P_IPV6, slices.Concat(head, udp))
	})
}

// withReply sends until the machine has answered or patience is over.
func withReply(ctx context.Context, t targets, send func(reply string) error) error {
	probe, err := new(net.Dialer).DialContext(ctx, "udp4", t.bridge+":9") // tells which address is ours
	if err != nil {
		return err
	}
	ours := probe.LocalAddr().(*net.UDPAddr).IP
	probe.Close()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: ours})
	if err != nil {
		return err
	}
	defer conn.Close()
	for end := time.Now().Add(t.patience); time.Now().Before(end); {
		if err := send(conn.LocalAddr().String()); err != nil {
			return err
		}
		if err := conn.SetDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			return err
		}
		if _, _, err := conn.ReadFrom(make([]byte, 16)); err == nil {
			return nil
		}
	}
	return errors.New("no answer")
}

// datagram is UDP with a request to tell reply, without a checksum.
func datagram(reply string) []byte {
	text := tell + reply
	udp := make([]byte, 8, 8+len(text))
	binary.BigEndian.PutUint16(udp, udpPort)
	binary.BigEndian.PutUint16(udp[2:], udpPort)
	binary.BigEndian.PutUint16(udp[4:], uint16(8+len(text))) //nolint:gosec // a few bytes
	return append(udp, text...)
}

// sum is the Internet checksum (RFC 1071), not inverted.
func sum(start uint32, b []byte) uint16 {
	total := start
	for len(b) > 1 {
		total += uint32(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		total += uint32(b[0]) << 8
	}
	for total>>16 > 0 {
		total = total&0xffff + total>>16
	}
	return uint16(total)
}

// sendFrame puts a packet on the wire to whoever has an address, past the kernel's own
// routing and firewall.
func sendFrame(next string, protocol uint16, packet []byte) error {
	link, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	to, err := hardware(next)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	frame := append(append([]byte{}, to...), link.HardwareAddr...)
	frame = binary.BigEndian.AppendUint16(frame, protocol)
	return unix.Sendto(fd, append(frame, packet...), 0, &unix.SockaddrLinklayer{Ifindex: link.Index, Halen: 6})
}

// hardware is the Ethernet address of a neighbour, as the kernel knows it.
func hardware(ip string) (net.HardwareAddr, error) {
	table, err := os.ReadFile("/proc/net/arp")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[0] == ip {
			return net.ParseMAC(fields[3])
		}
	}
	return nil, fmt.Errorf("nobody knows the Ethernet address of %s", ip)
}
