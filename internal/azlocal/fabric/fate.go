package fabric

import (
	"context"
	"net/http"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fault"
)

// Fate is what a fault makes of an operation.
type Fate struct {
	Fails *arm.Error `json:"fails,omitempty"`
	Never bool       `json:"never,omitempty"` // it stays in progress
	Wait  float64    `json:"wait_seconds,omitempty"`
	Then  fault.Kind `json:"then,omitempty"` // what befalls the machine at the end
}

func fateOf(hit *fault.Hit) *Fate {
	switch {
	case hit.Is(fault.Fail):
		return &Fate{Fails: hit.Refusal()}
	case hit.Is(fault.NeverFinish):
		return &Fate{Never: true}
	case hit.Acts():
		return &Fate{Then: hit.Rule.Effect}
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
// cascade of a machine or with its group. Faults on the part's deletion hit it too. What is
// stored under an id of no type that can go is refused.
func (t *Tx) RemovePart(d *Document, opt RemoveOptions) (operation string, err error) {
	kind := t.w.KindOf(d.ID)
	if kind == nil || kind.Remove == nil {
		return "", arm.Errorf(http.StatusNotFound, "InvalidResourceType", "The resource type of '%s' could not be found.", d.ID)
	}
	hit := t.w.Faults.Take(fault.Call{Operation: kind.Type + "/delete", Resource: d.ID, Part: true})
	if hit.Is(fault.Refuse, fault.Throttle) {
		return "", hit.Refusal()
	}
	before := t.cause
	t.Because(Cause{Action: kind.Type + "/delete", Correlation: before.Correlation, Fault: hit.ID()})
	id, err := kind.Remove(t, d, opt)
	t.Because(before)
	if err == nil {
		t.Doom(hit)
		if hit.Is(fault.Delay) {
			t.fate = &Fate{Wait: hit.Rule.Wait}
		}
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
	case f.Fails == nil:
		timer := time.NewTimer(time.Duration(f.Wait * float64(time.Second)))
		defer timer.Stop()
		select {
		case <-timer.C:
			return work()
		case <-ctx.Done():
			return ctx.Err()
		}
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

// Befall does to the machine that an id concerns what the fault by says, in the background.
func (w *World) Befall(what fault.Kind, id, by string) {
	if w.Act != nil {
		w.Go(func(ctx context.Context) { w.Act(ctx, what, id, by) })
	}
}
