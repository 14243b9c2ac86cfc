package azlocal

import (
	"errors"
	"testing"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
)

// TestConnections wants each connection to a machine in the log, with what passed and how
// it ended, and one that a fault of the control socket cuts counted there.
func TestConnections(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	var key, id string
	l.server.world.View(func(tx *fabric.Tx) {
		for _, d := range tx.List(compute.TypeVM, "") {
			key, id = d.Hidden.Str("key"), d.ID
		}
	})
	whole := l.server.Connected(key, 22, func() {})
	if n, err := whole.Pass(ctx, 100); n != 100 || err != nil {
		t.Fatalf("passed %d, %v", n, err)
	}
	whole.Close()
	whole.Close()

	hits := c.fault(fault.Rule{On: "tcp:22", Resource: id, Times: 1, Effect: fault.RefuseConnection})
	c.fault(fault.Rule{On: "tcp:*", Nth: 2, Times: 1, After: 5, Effect: fault.CutConnection})
	other := l.server.Connected(key, 2222, func() {})
	refused := l.server.Connected(key, 22, func() {})
	if _, err := refused.Pass(ctx, 0); !errors.Is(err, fault.ErrCut) || hits() != 1 {
		t.Errorf("refused: %v, %d hits", err, hits())
	}
	refused.Close()
	cut := l.server.Connected(key, 22, func() {})
	if n, err := cut.Pass(ctx, 9); n != 5 || err != nil {
		t.Errorf("before the cut: %d, %v", n, err)
	}
	if _, err := cut.Pass(ctx, 4); !errors.Is(err, fault.ErrCut) {
		t.Errorf("cut: %v", err)
	}
	cut.Close()
	other.Close()

	type seen struct {
		operation, fault, code string
		ended                  activity.Outcome
		bytes                  int64
	}
	want := []seen{{"tcp:22", "", "", activity.Succeeded, 100}, {"tcp:2222", "", "", activity.Succeeded, 0},
		{"tcp:22", "f1", "ConnectionRefused", activity.Failed, 0}, {"tcp:22", "f2", "ConnectionCut", activity.Failed, 5}}
	got := must[[]activity.Entry](t)(activity.Requests(l.inst.Path(activity.FileName), func(e activity.Entry) bool { return e.Connection() }))
	for i, e := range got {
		if i >= len(want) || want[i] != (seen{e.Operation, e.Fault, e.EndedCode, e.Ended, e.Bytes}) || e.Resource != id || e.Trouble() != (e.Fault != "") || e.Write() || e.ARM() {
			t.Errorf("connection %d: %+v", i, e)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d connections, want %d", len(got), len(want))
	}
}
