package fabric

import (
	"context"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fault"
)

// Fate is what a fault makes of an operation.
type Fate struct {
	Fails *arm.Error `json:"fails,omitempty"`
	Never bool       `json:"never,omitempty"` // it stays in progress
}

func fateOf(hit *fault.Hit) *Fate {
	switch {
	case hit.Is(fault.Fail):
		return &Fate{Fails: hit.Refusal()}
	case hit.Is(fault.NeverFinish):
		return &Fate{Never: true}
	}
	return nil
}

// Doom hands the trouble of a hit to the operation that this transaction answers with.
func (t *Tx) Doom(hit *fault.Hit) { t.fate = fateOf(hit) }

// Fated tells whether an operation has taken over what Doom was given.
func (t *Tx) Fated() bool { return t.fated }

// seal gives an operation the transaction's fate, unless it has been under way before.
func (t *Tx) seal(id string) {
	op := t.Operation(id)
	if t.fate == nil || op == nil || op.Terminal() || t.w.ops.runs[id] != nil {
		return
	}
	doomed := *op
	doomed.Fate, t.fate, t.fated = t.fate, nil, true
	t.putOp(&doomed)
}

// RemovePart starts the deletion of a part that nobody asked for by a request: in the
// cascade of a machine or with its group. Faults on the part's deletion hit it too.
func (t *Tx) RemovePart(d *Document, opt RemoveOptions) (operation string, err error) {
	kind := t.w.KindOf(d.ID)
	hit := t.w.Faults.Take(fault.Call{Operation: kind.Type + "/delete", Resource: d.ID})
	if hit.Is(fault.Refuse, fault.Throttle) {
		return "", hit.Refusal()
	}
	id, err := kind.Remove(t, d, opt)
	if err == nil {
		t.Doom(hit)
		t.seal(id)
		t.fate = nil
	}
	return id, err
}

// run does an operation's work unless its fate is another.
func (f *Fate) run(ctx context.Context, work func() error) error {
	switch {
	case f == nil:
		return work()
	case f.Never:
		<-ctx.Done()
		return ctx.Err()
	case !f.late():
		return f.Fails
	}
	if err := work(); err != nil {
		return err
	}
	return f.Fails
}

// late tells whether the failure comes when the work is done: the guest was waited for in
// vain while the machine runs (documentation: troubleshooting of OSProvisioningTimedOut).
// A machine for which there is no capacity never runs.
func (f *Fate) late() bool {
	return strings.HasPrefix(f.Fails.Code, "OSProvisioning") || strings.HasPrefix(f.Fails.Code, "VMExtension")
}
