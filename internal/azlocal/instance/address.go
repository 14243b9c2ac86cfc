package instance

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Faces are the addresses and names that an instance has beyond 127.0.0.1 and localhost: a
// client that knows only Azure's own names meets it there, with a hosts file that leads
// them to it.
type Faces struct {
	Listen []netip.AddrPort `json:"listen,omitempty"`
	Names  []string         `json:"names,omitempty"`
}

// ErrElsewhere says that an address is not this computer's own.
var ErrElsewhere = errors.New("other computers could reach it")

// defaultPort is where clients look for https without a port.
const defaultPort = 443

// ParseListen reads ADDRESS[:PORT]. An address that is not a loopback one is ErrElsewhere
// together with the result.
func ParseListen(text string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		addr, bad := netip.ParseAddr(strings.Trim(text, "[]"))
		if bad != nil {
			return at, fmt.Errorf("%q is no address: ADDRESS or ADDRESS:PORT, as in 127.0.0.1:443", text)
		}
		at = netip.AddrPortFrom(addr, defaultPort)
	}
	switch {
	case at.Port() == 0:
		return at, fmt.Errorf("%q has no port that clients could know", text)
	case !at.Addr().IsLoopback():
		return at, fmt.Errorf("%s is no loopback address: %w", at.Addr(), ErrElsewhere)
	}
	return at, nil
}

var dnsName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ParseName reads a DNS name for the certificate.
func ParseName(text string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	if _, err := netip.ParseAddr(name); err == nil || len(name) > 253 || !dnsName.MatchString(name) {
		return "", fmt.Errorf("%q is no DNS name", text)
	}
	return name, nil
}

// Equal tells whether two instances would look the same from outside.
func (f Faces) Equal(other Faces) bool {
	return slices.Equal(f.Listen, other.Listen) && slices.Equal(f.Names, other.Names)
}

// addresses are those the certificate must have; one that stands for all is in none.
func (f Faces) addresses() []net.IP {
	var out []net.IP
	for _, at := range f.Listen {
		if !at.Addr().IsUnspecified() {
			out = append(out, net.IP(at.Addr().Unmap().AsSlice()))
		}
	}
	return out
}

// Hosts are the lines of a hosts file that lead the names here.
func (f Faces) Hosts() []string {
	var out []string
	for _, at := range f.Listen {
		addr := at.Addr()
		if addr.IsUnspecified() {
			addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		if line := addr.String() + " " + strings.Join(f.Names, " "); len(f.Names) > 0 && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// Origin is the URL of a name: on the first address's port.
func (f Faces) Origin(name string) string {
	if len(f.Listen) == 0 || f.Listen[0].Port() == defaultPort {
		return "https://" + name
	}
	return "https://" + net.JoinHostPort(name, strconv.Itoa(int(f.Listen[0].Port())))
}
