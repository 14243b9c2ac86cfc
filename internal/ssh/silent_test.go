package ssh

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"mngr/internal/agent"
)

// ownServer is what a server that takes everybody needs, and where it is.
func ownServer(t *testing.T) (config *ssh.ServerConfig, l net.Listener, target Target) {
	t.Helper()
	pair, err := GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(pair.PrivatePEM)
	if err != nil {
		t.Fatal(err)
	}
	config = &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(signer)
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return config, l, Target{Address: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, HostKey: pair.AuthorizedKey}
}

// silentServer completes the handshake and then answers nothing until release is closed.
func silentServer(t *testing.T) (target Target, release chan struct{}) {
	t.Helper()
	config, l, target := ownServer(t)
	release = make(chan struct{})
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _, _, _ = ssh.NewServerConn(c, config)
		<-release
	}()
	return target, release
}

// A hostile server that logs in and then opens no channel cannot hold a command for
// longer than its context.
func TestRunDoesNotWaitForASilentServer(t *testing.T) {
	id := Identity{Base: t.TempDir()}
	key, err := id.Ensure("p")
	if err != nil {
		t.Fatal(err)
	}
	target, release := silentServer(t)
	defer close(release)
	client, err := Dial(t.Context(), target, key)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	unreachable(t, running(ctx, client))
}

// running is the end of a command that is running on a connection.
func running(ctx context.Context, client *Client) <-chan error {
	ended := make(chan error, 1)
	go func() {
		_, err := client.Run(ctx, Command{Line: "true"})
		ended <- err
	}()
	return ended
}

func unreachable(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if agent.KindOf(err) != agent.KindUnreachable {
			t.Errorf("Run = %v (%s), want unreachable", err, agent.KindOf(err))
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run still waits")
	}
}
