// Package control carries ctl requests between `mngrd ctl` and the process that serves
// them in the container, over a Unix socket that only root can open.
//
// On the socket the client writes one ctl.Request and closes its side; the server writes
// JSON values, each with a phase under way or, once and last, the answer. Only the guest
// program imports this package.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"mngr/internal/ctl"
)

const (
	maxRequest     = 16 << 20 // bytes
	requestTimeout = 30 * time.Second
	operationLimit = 15 * time.Minute
)

// Handler does one operation. It reports phases as lines on progress.
type Handler func(ctx context.Context, req ctl.Request, progress io.Writer) ctl.Answer

type frame struct {
	Progress string      `json:"progress,omitempty"`
	Answer   *ctl.Answer `json:"answer,omitempty"`
}

// Failure makes the answer for an error: its own code if it has one.
func Failure(err error) ctl.Answer {
	if e, ok := errors.AsType[*ctl.Error](err); ok {
		return ctl.Answer{Version: ctl.Version, Error: e}
	}
	line, detail, _ := strings.Cut(err.Error(), "\n")
	return ctl.Answer{Version: ctl.Version, Error: &ctl.Error{Code: ctl.CodeFailed, Message: line, Detail: detail}}
}

// ReadRequest reads one request and refuses one of another version. What follows the
// request is in rest.
func ReadRequest(r io.Reader) (req ctl.Request, rest io.Reader, err error) {
	decoder := json.NewDecoder(io.LimitReader(r, maxRequest))
	if err := decoder.Decode(&req); err != nil {
		return req, nil, &ctl.Error{Code: ctl.CodeUsage, Message: fmt.Sprintf("the request is not understood: %v", err)}
	}
	if req.Version != ctl.Version {
		return req, nil, &ctl.Error{Code: ctl.CodeUnsupported, Message: fmt.Sprintf(
			"the request has version %d, this mngrd speaks version %d", req.Version, ctl.Version)}
	}
	return req, io.MultiReader(decoder.Buffered(), r), nil
}

// Listen makes the socket, in the place of one that a dead process left.
func Listen(path string) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen for ctl: %w", err)
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen for ctl: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil { // the directory is 0700 already
		ln.Close()
		return nil, fmt.Errorf("listen for ctl: %w", err)
	}
	return ln, nil
}

// Serve answers until ctx ends, then waits for the operations under way. An operation
// goes on when its client goes away: half an agent helps nobody.
func Serve(ctx context.Context, ln *net.UnixListener, handle Handler, log *slog.Logger) error {
	var all sync.WaitGroup
	defer all.Wait()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	for {
		conn, err := ln.AcceptUnix()
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("serve ctl: %w", err)
		}
		if err != nil {
			log.Warn("accept ctl", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		all.Go(func() { answer(ctx, conn, handle) })
	}
}

func answer(ctx context.Context, conn *net.UnixConn, handle Handler) {
	defer conn.Close()
	out := json.NewEncoder(conn)
	conn.SetReadDeadline(time.Now().Add(requestTimeout))
	req, _, err := ReadRequest(conn)
	if err != nil {
		a := Failure(err)
		out.Encode(frame{Answer: &a})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	a := handle(ctx, req, phases{out})
	a.Version = ctl.Version
	out.Encode(frame{Answer: &a})
}

// phases sends each line as a frame.
type phases struct{ out *json.Encoder }

func (p phases) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		if err := p.out.Encode(frame{Progress: strings.TrimSuffix(line, "\n")}); err != nil {
			return len(b), nil // the client is gone; the operation goes on
		}
	}
	return len(b), nil
}
