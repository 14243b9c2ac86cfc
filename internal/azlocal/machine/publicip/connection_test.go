package publicip

import (
	"net"
	"testing"
)

// pair returns both ends of a connection.
func pair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		dialled.Close()
		accepted.Close()
	})
	return dialled.(*net.TCPConn), accepted.(*net.TCPConn)
}

// TestCutOff is a client that has said all it wants to say to a machine that lost its power
// and never answers.
func TestCutOff(t *testing.T) {
	user, client := pair(t)
	inside, machine := pair(t)
	conn := &connection{client: client, inside: inside}
	spliced := make(chan struct{})
	go func() {
		splice(client, inside)
		close(spliced)
	}()
	if err := user.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := machine.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("the machine reads %d bytes, %v", n, err)
	}
	conn.close()
	<-spliced
}
