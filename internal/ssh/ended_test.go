package ssh

import (
	"io"
	"net"
	"testing"

	"golang.org/x/crypto/ssh"
)

// deaf is a connection as x/crypto's is for a moment after it has ended: the loop that
// answers has gone, and the request for a channel can still be written. Nothing ends it.
type deaf struct {
	ssh.Conn
	t *testing.T
}

func (d deaf) OpenChannel(string, []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	_ = d.Wait()
	<-d.t.Context().Done()
	return nil, nil, io.EOF
}

// cutOff is a client whose connection ends once release is closed.
func cutOff(t *testing.T) (c *Client, release chan struct{}) {
	t.Helper()
	key, err := Identity{Base: t.TempDir()}.Ensure("p")
	if err != nil {
		t.Fatal(err)
	}
	target, release := silentServer(t)
	tcp, err := net.Dial("tcp", hostPort(target.Address, target.Port))
	if err != nil {
		t.Fatal(err)
	}
	conn, channels, requests, err := ssh.NewClientConn(tcp, "", &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(key.signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()}) // #nosec G106 -- its own server
	if err != nil {
		t.Fatal(err)
	}
	return newClient(ssh.NewClient(deaf{conn, t}, channels, requests)), release
}

// A request on a connection that has ended, or ends meanwhile, fails at once: an undo makes
// it on the connection whose end made the undo necessary, and has then to dial.
func TestRunFailsOnceTheConnectionHasEnded(t *testing.T) {
	for _, when := range []string{"before", "while"} {
		t.Run(when, func(t *testing.T) {
			client, release := cutOff(t)
			defer client.Close()
			if when == "before" {
				close(release)
				_ = client.conn.Wait()
			}
			ended := running(t.Context(), client)
			if when == "while" {
				close(release)
			}
			unreachable(t, ended)
		})
	}
}
