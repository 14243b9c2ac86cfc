package ssh

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"mngr/internal/agent"
)

// serverConfig is that of a server which takes everybody.
func serverConfig(t *testing.T) (config *ssh.ServerConfig, hostKey string) {
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
	return config, pair.AuthorizedKey
}

// silentServer completes the handshake and then answers nothing until release is closed.
func silentServer(t *testing.T) (target Target, release chan struct{}) {
	t.Helper()
	config, hostKey := serverConfig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
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
	return Target{Address: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, HostKey: hostKey}, release
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
