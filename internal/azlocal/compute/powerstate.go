package compute

import (
	"context"
	"errors"
	"time"

	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
)

// PowerState is what Azure knows of a machine's power.
type PowerState string

// The power states. None of them is known while a machine is created.
const (
	Unknown      PowerState = ""
	Starting     PowerState = "starting"
	Running      PowerState = "running"
	Stopping     PowerState = "stopping"
	Stopped      PowerState = "stopped" // off, but its host is kept and billed
	Deallocating PowerState = "deallocating"
	Deallocated  PowerState = "deallocated"
)

// Billed tells whether compute is charged in this state (documentation: states-billing).
func (s PowerState) Billed() bool {
	switch s {
	case Starting, Running, Stopping, Stopped:
		return true
	}
	return false
}

func powerOf(d *fabric.Document) PowerState { return PowerState(d.Hidden.Str("power")) }

func setPower(t *fabric.Tx, d *fabric.Document, s PowerState) {
	d.Hidden["power"] = string(s)
	d.Hidden["powerSince"] = fabric.Timestamp(t.World().Now())
}

// setToRun tells whether a machine runs, or would if its guest had not switched itself off.
func setToRun(d *fabric.Document) bool {
	power := powerOf(d)
	return power == Running || power == Stopped && !d.Hidden.Bool("halted")
}

// perform is the job of an action.
func (a action) perform(p *Provider) fabric.Job {
	return fabric.Job{
		Takes: a.takes,
		Work: func(ctx context.Context, op fabric.Operation) error {
			spec, rules, ok := p.describe(op.Target)
			if !ok {
				return nil
			}
			if err := a.drive(ctx, p.Driver, spec, rules, op.Input.Bool("force")); err != nil {
				return err
			}
			if a.after == Running {
				return p.refreshRules(ctx, spec.Key, op.Target, rules)
			}
			return nil
		},
		Failed: p.observe,
		Settle: settling(func(t *fabric.Tx, d *fabric.Document, op fabric.Operation, err error) {
			was := PowerState(op.Input.Str("was"))
			if err != nil {
				fail(t, d, op)
				setPower(t, d, afterFailure(observed(err), was))
			} else {
				setProvisioning(t, d, fabric.Succeeded)
				a.settlePower(t, d, was)
			}
			nameDisks(t, d) // a create that it preempted may have made them
			t.Put(d)
			markDisks(t, d)
			if !powerOf(d).Billed() {
				over(t, d.ID) // nothing is left to be taken back
			}
		}),
	}
}

// settlePower shows what a machine has become.
func (a action) settlePower(t *fabric.Tx, d *fabric.Document, was PowerState) {
	if a.after == Unknown || a.idle(was) {
		return
	}
	setPower(t, d, a.after)
	d.Hidden["halted"] = a.after != Running
}

// afterFailure is what is left of a machine when an action failed: what the driver sees. One
// that was not allocated and does not run has got no host.
func afterFailure(state machine.State, was PowerState) PowerState {
	switch {
	case state == machine.Running:
		return Running
	case was == Deallocated:
		return Deallocated
	case state == machine.Absent:
		return Unknown
	}
	return Stopped
}

// failure is why an operation on a machine failed, and what the driver saw of it then.
type failure struct {
	error
	state machine.State
}

func (f failure) Unwrap() error { return f.error }

// observeTimeout is how long a driver may take to look at a machine. One that answers at
// all answers within a second or two.
const observeTimeout = 20 * time.Second

// observe adds to an error what the driver sees; what it cannot tell is absent. It runs
// without the lock: an engine that hangs must not hold up everything else.
func (p *Provider) observe(ctx context.Context, op fabric.Operation, err error) error {
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	spec, _, ok := p.describe(op.Target)
	if !ok {
		return err
	}
	state, unseen := p.Driver.State(ctx, spec.Key)
	if unseen != nil {
		state = machine.Absent
	}
	return failure{err, state}
}

// observed is what observe saw.
func observed(err error) machine.State {
	if f, ok := errors.AsType[failure](err); ok {
		return f.state
	}
	return machine.Absent
}

// PoweredOff notes that a guest switched itself off: the machine is stopped and billed on.
// While an operation runs, its end decides.
func (p *Provider) PoweredOff(key string) error {
	return p.world.Update(func(t *fabric.Tx) error {
		d := ByKey(t, key)
		if d == nil || t.Busy(d.ID) != nil || powerOf(d) != Running {
			return nil
		}
		d = t.Get(d.ID)
		setPower(t, d, Stopped)
		d.Hidden["halted"] = false
		t.Put(d)
		return nil
	})
}
