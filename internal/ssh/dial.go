package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"

	"mngr/internal/agent"
)

// Target is one SSH server of a host.
type Target struct {
	Address string
	Port    int
	HostKey string // public, in authorized_keys form; required
}

// keepAlive finds out within half a minute that a peer is gone.
const keepAlive = 15 * time.Second

// ErrHostKey says that the server showed another key than the expected one.
var ErrHostKey = errors.New("the server shows another host key than the expected one")

// ErrNoAuth says that the server does not accept this machine's key.
var ErrNoAuth = errors.New("the server does not accept this machine's key")

// Client is a connection that runs commands.
type Client struct {
	conn  *ssh.Client
	ended chan struct{} // closed once the connection has
}

func newClient(conn *ssh.Client) *Client {
	c := &Client{conn: conn, ended: make(chan struct{})}
	go func() {
		_ = conn.Wait()
		close(c.ended)
	}()
	go c.keepAlives()
	return c
}

// Dial makes one attempt to connect as root. key may be nil: then only the host key is
// verified and ErrNoAuth is the best possible outcome.
func Dial(ctx context.Context, t Target, key *ClientKey) (*Client, error) {
	want, _, _, _, err := ssh.ParseAuthorizedKey([]byte(t.HostKey))
	if err != nil {
		return nil, fmt.Errorf("dial %s: the host key is not known: %w", hostPort(t.Address, t.Port), err)
	}
	verified := false
	config := &ssh.ClientConfig{
		User:              "root",
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: func(_ string, _ net.Addr, got ssh.PublicKey) error {
			if !bytes.Equal(got.Marshal(), want.Marshal()) {
				return ErrHostKey
			}
			verified = true
			return nil
		},
	}
	if key != nil {
		config.Auth = []ssh.AuthMethod{ssh.PublicKeys(key.signer)}
	}
	conn, err := handshake(ctx, t, config)
	switch {
	case err == nil:
		return newClient(conn), nil
	case errors.Is(err, ErrHostKey):
		return nil, agent.Errorf(agent.KindRefused, "%s: %w", hostPort(t.Address, t.Port), ErrHostKey)
	case verified && ctx.Err() == nil && isAuthError(err):
		return nil, fmt.Errorf("%s: %w", hostPort(t.Address, t.Port), ErrNoAuth)
	default:
		return nil, agent.Errorf(agent.KindUnreachable, "ssh to %s: %w", hostPort(t.Address, t.Port), err)
	}
}

// isAuthError recognises the end of authentication; x/crypto has no type for the client's.
func isAuthError(err error) bool {
	return bytes.Contains([]byte(err.Error()), []byte("unable to authenticate"))
}

func handshake(ctx context.Context, t Target, config *ssh.ClientConfig) (*ssh.Client, error) {
	began := time.Now()
	// x/crypto's own timeout covers the TCP dial only.
	ctx, done := agent.Within(ctx, agent.DeadlineHandshake, "connecting by SSH")
	defer done(nil)
	dialer := net.Dialer{KeepAlive: keepAlive}
	tcp, err := dialer.DialContext(ctx, "tcp", hostPort(t.Address, t.Port))
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("no connection within %s: %w", since(began), err)
	}
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { tcp.Close() })
	conn, channels, requests, err := ssh.NewClientConn(tcp, hostPort(t.Address, t.Port), config)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		tcp.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connected, but no handshake within %s: %w", since(began), err)
		}
		return nil, err
	}
	return ssh.NewClient(conn, channels, requests), nil
}

// since is how long was waited: the caller may have had less time than DeadlineHandshake.
func since(began time.Time) time.Duration { return time.Since(began).Round(time.Second) }

// keepAlives ends a connection whose peer is gone; without it a session would wait for
// the kernel's TCP timeout.
func (c *Client) keepAlives() {
	ticker := time.NewTicker(keepAlive)
	defer ticker.Stop()
	for {
		select {
		case <-c.ended:
			return
		case <-ticker.C:
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := c.conn.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		select {
		case err := <-answered:
			if err != nil {
				c.conn.Close()
				return
			}
		case <-time.After(time.Duration(agent.DeadlineKeepAlive)):
			c.conn.Close()
			return
		}
	}
}

// DialRetry repeats Dial until it succeeds, the answer is final (another host key, key
// not accepted), or ctx ends. missed is told of each attempt that did not work.
func DialRetry(ctx context.Context, t Target, key *ClientKey, between time.Duration, missed func(error)) (*Client, error) {
	for {
		client, err := Dial(ctx, t, key)
		if err == nil || agent.KindOf(err) == agent.KindRefused || errors.Is(err, ErrNoAuth) {
			return client, err
		}
		missed(err)
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(between):
		}
	}
}

// Close ends the connection and every command on it.
func (c *Client) Close() error { return c.conn.Close() }
