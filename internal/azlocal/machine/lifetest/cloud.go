// Package lifetest leads machines through their lives and looks at them as their user
// does, through ssh: the same steps for every driver whose machines boot. Only tests
// import it.
package lifetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/lifecycle"
)

// Maker is a driver under test.
type Maker struct {
	// New is the driver's own.
	New func(context.Context, lifecycle.Config, machine.Services) (*lifecycle.Driver, error)
	// Forget makes something that belongs to the machine of a key.
	Forget func(t *testing.T, c *Cloud, key string)
	// Left lists what machines and networks of the instance have on this computer.
	Left func(t *testing.T, c *Cloud) []string
	// Shared lists what else the instance has on this computer as long as it lives; nil:
	// nothing but its firewall table.
	Shared func(t *testing.T, c *Cloud) []string
}

// Cloud is the Azure around the machines of a test.
type Cloud struct {
	Driver *lifecycle.Driver
	Config lifecycle.Config

	maker Maker
	arm   net.Listener // the host's
	off   chan string  // keys of machines that switched themselves off
	dir   string

	mu      sync.Mutex
	servers []*http.Server
}

// ServeIMDS implements machine.Services.
func (c *Cloud) ServeIMDS(key string, l net.Listener) { c.serve(l, "imds of "+key) }

// ServeARM implements machine.Services.
func (c *Cloud) ServeARM(l net.Listener) { c.serve(l, "arm") }

// ARMAddress implements machine.Services.
func (c *Cloud) ARMAddress() netip.AddrPort { return netip.MustParseAddrPort(c.arm.Addr().String()) }

// PoweredOff implements machine.Services.
func (c *Cloud) PoweredOff(key string) { c.off <- key }

// Connected implements machine.Services.
func (c *Cloud) Connected(string, uint16, func()) machine.Line { return machine.Open{} }

func (c *Cloud) serve(l net.Listener, text string) {
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })}
	c.mu.Lock()
	c.servers = append(c.servers, server)
	c.mu.Unlock()
	go func() { _ = server.Serve(l) }() // ends with the server
}

// NewCloud needs root and the host's tools; it says what is missing and skips. The second
// byte of the public addresses keeps tests of one run apart.
func NewCloud(t *testing.T, maker Maker, second byte) *Cloud {
	t.Helper()
	id := make([]byte, 4)
	_, _ = rand.Read(id)
	arm, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cloud{maker: maker, arm: arm, off: make(chan string, 10), dir: t.TempDir(), Config: lifecycle.Config{
		ID: hex.EncodeToString(id), Public: netip.PrefixFrom(netip.AddrFrom4([4]byte{127, second, id[0], 0}), 24),
		Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	c.Driver, err = maker.New(t.Context(), c.Config, c)
	if err != nil {
		t.Skip("machines cannot be made here: ", err)
	}
	t.Cleanup(func() {
		if err := c.Driver.Close(context.Background(), true); err != nil {
			t.Error("close: ", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.servers {
			_ = s.Close()
		}
		_ = arm.Close()
	})
	return c
}
