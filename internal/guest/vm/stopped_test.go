package vm

import (
	"context"
	"io"
	"testing"

	"mngr/internal/hostsetup"
)

// Whoever stopped the container and died before the deallocation leaves a machine that
// bills for nothing: it deallocates itself, and a start takes the stop back.
func TestAStoppedHostDoesNotBillForEver(t *testing.T) {
	asked := make(chan struct{})
	h := &host{run: t.TempDir(), container: "mngr-test-none", deallocate: func(context.Context) error {
		close(asked)
		return nil
	}}
	h.state = t.TempDir()
	if !h.mayRun(t.Context(), io.Discard) {
		t.Fatal("a host that was not stopped may not run")
	}
	if err := h.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	free := make(chan bool)
	go func() { free <- h.mayRun(t.Context(), io.Discard) }()
	<-asked
	if !h.wants(hostsetup.CauseStopped) {
		t.Error("the script is not told why")
	}
	if err := h.start(); err != nil {
		t.Fatal(err)
	}
	if h.wants(hostsetup.CauseStopped) {
		t.Error("the machine is still to go although its stop was taken back")
	}
	if !<-free {
		t.Error("the host may not run although its stop was taken back")
	}
}
