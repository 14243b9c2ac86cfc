package vm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// waitSSH waits until an SSH server answers behind a published port. Docker's own proxy
// accepts connections before the container listens: only the greeting counts.
func waitSSH(ctx context.Context, port int) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for {
		err := greeting(ctx, address)
		if err == nil {
			return nil
		}
		wait(ctx, 100*time.Millisecond)
		if ctx.Err() != nil {
			return fmt.Errorf("wait for SSH at %s: %w (last: %w)", address, context.Cause(ctx), err)
		}
	}
}

func greeting(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	first := make([]byte, 4)
	if _, err := io.ReadFull(conn, first); err != nil {
		return err
	}
	if !bytes.Equal(first, []byte("SSH-")) {
		return fmt.Errorf("%q is no greeting of an SSH server", first)
	}
	return nil
}
