package vm

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// The test program plays `mngrd init` in the containers of the tests: it greets like an SSH
// server and ends when it is told to.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "init" {
		os.Exit(playInit())
	}
	goleak.VerifyTestMain(m)
}

func playInit() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", ":22")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	go func() {
		<-ctx.Done()
		listener.Close()
	}()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return 0
		}
		fmt.Fprint(conn, "SSH-2.0-test\r\n")
		conn.Close()
	}
}
