package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"mngr/internal/ctl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, handle Handler) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "ctl.sock")
	ln, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, handle, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return socket
}

func echo(_ context.Context, req ctl.Request, progress io.Writer) ctl.Answer {
	fmt.Fprintf(progress, "%sone\ntwo\n", ctl.ProgressPrefix)
	if req.Ref == nil {
		return Failure(fmt.Errorf("wrapped: %w", &ctl.Error{Code: ctl.CodeNotFound, Message: "no ref"}))
	}
	return ctl.Answer{Prepared: &ctl.Prepared{WorkDir: req.Ref.Name}}
}

func TestCallCarriesRequestPhasesAndAnswer(t *testing.T) {
	socket := serve(t, echo)
	var phases bytes.Buffer
	req := ctl.Request{Version: ctl.Version, Op: "x", Ref: &ctl.AgentRef{Name: "a"}}
	a, err := Call(t.Context(), socket, req, &phases)
	if err != nil || a.Prepared == nil || a.Prepared.WorkDir != "a" || a.Version != ctl.Version || a.Error != nil {
		t.Fatalf("got %+v, %v", a, err)
	}
	if got := phases.String(); got != ctl.ProgressPrefix+"one\ntwo\n" {
		t.Errorf("phases %q", got)
	}
	req.Ref = nil
	a, err = Call(t.Context(), socket, req, io.Discard)
	if err != nil || a.Error == nil || a.Error.Code != ctl.CodeNotFound {
		t.Errorf("got %+v, %v", a, err)
	}
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v", info.Mode(), err)
	}
}

func TestOtherVersionIsRefused(t *testing.T) {
	socket := serve(t, echo)
	a, err := Call(t.Context(), socket, ctl.Request{Version: ctl.Version + 1}, io.Discard)
	if err != nil || a.Error == nil || a.Error.Code != ctl.CodeUnsupported {
		t.Fatalf("got %+v, %v", a, err)
	}
}

func TestServerThatDiesIsAnError(t *testing.T) {
	if _, err := Call(t.Context(), filepath.Join(t.TempDir(), "none"), ctl.Request{}, io.Discard); err == nil {
		t.Error("nobody listens, and no error")
	}
	socket := serve(t, func(context.Context, ctl.Request, io.Writer) ctl.Answer { panic("unreached") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Call(ctx, socket, ctl.Request{}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add(`{"version":1,"op":"status"}`)
	f.Add(`{"version":1,"op":"agent.create","agent":{"argv":["x"]}}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, in string) {
		req, _, err := ReadRequest(strings.NewReader(in))
		if err == nil && req.Version != ctl.Version {
			t.Fatalf("took version %d", req.Version)
		}
		if _, ok := errors.AsType[*ctl.Error](err); err != nil && !ok {
			t.Fatalf("no answer for %v", err)
		}
	})
}
