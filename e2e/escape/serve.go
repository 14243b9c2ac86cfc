//go:build linux

package escape

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// abstract is a Unix socket without a file: only the network's namespace keeps others off.
const abstract = "@mngr-escape"

// serve is what there is to be reached on a machine: any service, and the engine's over TCP.
func serve(ctx context.Context, out io.Writer) error {
	for _, a := range [][2]string{{"tcp", ":" + port}, {"tcp", ":" + enginePort}, {"unix", abstract}} {
		listener, err := net.Listen(a[0], a[1])
		if err != nil {
			return err
		}
		defer listener.Close()
		go greet(listener)
	}
	packets, err := new(net.ListenConfig).ListenPacket(ctx, "udp", ":"+port)
	if err != nil {
		return err
	}
	defer packets.Close()
	go echo(packets)
	fmt.Fprintln(out, "serving")
	<-ctx.Done()
	return nil
}

func greet(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("!\n"))
		conn.Close()
	}
}

// echo answers whoever asks, or whom the question names.
func echo(packets net.PacketConn) {
	buffer := make([]byte, 256)
	for {
		n, from, err := packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		if whom, ok := strings.CutPrefix(string(buffer[:n]), tell); ok {
			if from, err = net.ResolveUDPAddr("udp", whom); err != nil {
				continue
			}
		}
		_, _ = packets.WriteTo([]byte("!"), from)
	}
}

// knocks is how many connections haunt attempts at once, and knockLimit how long each may take.
const (
	knocks     = 4
	knockLimit = time.Second
)

// haunt knocks at the metadata service from the first moment to the last: through restarts
// of the engine and of the machine, when something might be open for a moment only.
func haunt(ctx context.Context, file string) error {
	note := func(name, text string) error {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = fmt.Fprintln(f, time.Now().UTC().Format(time.RFC3339), text)
		return err
	}
	if err := note(file+".began", "at "+metadata); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for range knocks {
		wg.Go(func() {
			for ctx.Err() == nil {
				dialer := net.Dialer{Timeout: knockLimit}
				conn, err := dialer.DialContext(ctx, "tcp", metadata+":80")
				if err != nil {
					pause(ctx, knockLimit/10) // what is refused is refused at once
					continue
				}
				conn.Close()
				_ = note(file, "through")
				pause(ctx, knockLimit)
			}
		})
	}
	wg.Wait()
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
