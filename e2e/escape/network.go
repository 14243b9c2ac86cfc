//go:build linux

package escape

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	metadata   = "169.254.169.254"
	wireServer = "168.63.129.16"
	// alias is a link-local address that the machine gives itself for the test.
	alias = "169.254.42.42"
	// port is what serve listens on, beside the engine's.
	port       = "4711"
	enginePort = "2375"

	tokenPath    = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
	instancePath = "/metadata/instance?api-version=2021-02-01"
)

// network are the ways that the machine's guard closes.
func network() map[string]func(context.Context, targets) error {
	ways := map[string]func(context.Context, targets) error{
		"imds instance": func(ctx context.Context, t targets) error {
			return get(ctx, t, net.Dialer{}, metadata, instancePath, nil)
		},
		"imds identity token": func(ctx context.Context, t targets) error { return get(ctx, t, net.Dialer{}, metadata, tokenPath, nil) },
		"imds scheduled event": func(ctx context.Context, t targets) error {
			return get(ctx, t, net.Dialer{}, metadata, "/metadata/scheduledevents?api-version=2020-07-01", nil)
		},
		"imds forwarded": func(ctx context.Context, t targets) error {
			return get(ctx, t, net.Dialer{}, metadata, instancePath, http.Header{"X-Forwarded-For": {"127.0.0.1"}, "Via": {"1.1 " + t.bridge}})
		},
		"imds from port 53": func(ctx context.Context, t targets) error {
			return get(ctx, t, net.Dialer{LocalAddr: &net.TCPAddr{Port: 53}, Control: reuse}, metadata, instancePath, nil)
		},
		"imds by name":        imdsByName,
		"imds in mapped ipv6": imdsMapped,
		"wire server": func(ctx context.Context, t targets) error {
			return get(ctx, t, net.Dialer{}, wireServer, "/?comp=versions", nil)
		},
		"vm udp":               func(ctx context.Context, t targets) error { return ask(ctx, t, "udp", t.bridge+":"+port) },
		"vm udp forged source": frame4,
		"vm ipv6 frame":        frame6,
	}
	for name, address := range map[string]func(targets) string{
		"vm ssh by bridge":      func(t targets) string { return t.bridge + ":22" },
		"vm ssh by subnet":      func(t targets) string { return t.private + ":22" },
		"vm port by bridge":     func(t targets) string { return t.bridge + ":" + port },
		"vm port by subnet":     func(t targets) string { return t.private + ":" + port },
		"vm port by link-local": func(t targets) string { return alias + ":" + port },
		"docker over tcp":       func(t targets) string { return t.bridge + ":" + enginePort },
		"neighbour port":        func(t targets) string { return t.neighbour + ":" + port },
		"neighbour ssh":         func(t targets) string { return t.other + ":22" },
	} {
		ways[name] = func(ctx context.Context, t targets) error { return ask(ctx, t, "tcp", address(t)) }
	}
	return ways
}

// get got through when anything answered in HTTP: what it says is the service's business.
func get(ctx context.Context, t targets, dialer net.Dialer, host, path string, header http.Header) error {
	ctx, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+path, nil)
	if err != nil {
		return err
	}
	request.Header = header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Metadata", "true")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// ask got through when one byte comes back, as from sshd and from serve.
func ask(ctx context.Context, t targets, network, address string) error {
	dialer := net.Dialer{Timeout: t.patience}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	return answered(conn, t.patience)
}

func answered(conn net.Conn, patience time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if conn.LocalAddr().Network() == "udp" {
		if _, err := conn.Write([]byte("?")); err != nil {
			return err
		}
	}
	_, err := conn.Read(make([]byte, 1))
	return err
}

// reuse lets a local port be taken again that an earlier run has just left.
func reuse(_, _ string, conn syscall.RawConn) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	})
	return errors.Join(err, failed)
}

// imdsByName asks for the service under a name, as a hostile resolver would have it.
func imdsByName(ctx context.Context, t targets) error {
	const name = "metadata.escape.test"
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		return err
	}
	if !strings.Contains(string(hosts), name) {
		file, err := os.OpenFile("/etc/hosts", os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(file, "%s %s\n", metadata, name)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return get(ctx, t, net.Dialer{}, name, instancePath, nil)
}

// imdsMapped reaches for ::ffff:169.254.169.254 through a socket of IPv6.
func imdsMapped(_ context.Context, t targets) error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), "mapped")
	defer file.Close()
	limit := unix.NsecToTimeval(t.patience.Nanoseconds())
	for _, option := range []int{unix.SO_SNDTIMEO, unix.SO_RCVTIMEO} { // the first bounds connect(2) too
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit); err != nil {
			return err
		}
	}
	to := &unix.SockaddrInet6{Port: 80}
	copy(to.Addr[:], net.ParseIP(metadata).To16())
	if err := unix.Connect(fd, to); err != nil {
		return err
	}
	if _, err := io.WriteString(file, "GET "+instancePath+" HTTP/1.0\r\nHost: x\r\nMetadata: true\r\n\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(file).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "HTTP/") {
		err = fmt.Errorf("%q is no HTTP", line)
	}
	return err
}
