package chaos

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"

	"mngr/e2e/rig"
)

// stranger answers at the SSH port of every machine of a local Azure, with a host key of
// its own: where no machine boots, it is what ends a command's wait for one.
type stranger struct {
	config *ssh.ServerConfig
	wg     sync.WaitGroup
}

func newStranger() (*stranger, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a host key: %w", err)
	}
	s := &stranger{config: &ssh.ServerConfig{NoClientAuth: true}}
	s.config.AddHostKey(signer)
	return s, nil
}

// serve answers at machines as they get their addresses, until ctx ends; then it waits
// until all its connections are gone. The error is nil but where no port can be had.
func (s *stranger) serve(ctx context.Context, azure *rig.Azure) error {
	defer s.wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	known := map[string]bool{"": true}
	for {
		st, err := azure.Status(ctx)
		for _, vm := range st.VMs {
			if known[vm.Address] {
				continue
			}
			known[vm.Address] = true
			if err := s.listen(ctx, vm.Address); err != nil {
				return err
			}
		}
		if pause(ctx) != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *stranger) listen(ctx context.Context, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(address, "22"))
	if err != nil {
		return fmt.Errorf("answer at a machine's SSH port: %w", err)
	}
	context.AfterFunc(ctx, func() { l.Close() })
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.greet(ctx, conn) })
		}
	})
	return nil
}

// greet shows the key, which ends the client's interest.
func (s *stranger) greet(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if c, _, _, err := ssh.NewServerConn(conn, s.config); err == nil {
		c.Close()
	}
}
