package compute

import (
	"context"
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
)

// PowerState is what Azure knows of a machine's power. This file alone decides it.
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

// action is a change of power that ARM offers.
type action struct {
	name, takes   string // takes is a duration of the fabric
	during, after PowerState
	preempts      bool // a later write ends an operation under way
	retryAfter    int
	drive         func(context.Context, machine.Driver, machine.Spec, []machine.Rule, bool) error
}

func actions() []action {
	return []action{
		{"start", fabric.VMStart, Starting, Running, false, 10, func(ctx context.Context, d machine.Driver, s machine.Spec, r []machine.Rule, _ bool) error {
			return d.Start(ctx, s, r)
		}},
		{"restart", fabric.VMRestart, Running, Running, false, 10, func(ctx context.Context, d machine.Driver, s machine.Spec, r []machine.Rule, _ bool) error {
			if state, err := d.State(ctx, s.Key); err == nil && state != machine.Running {
				return d.Start(ctx, s, r)
			}
			return d.Restart(ctx, s.Key)
		}},
		{"powerOff", fabric.VMPowerOff, Stopping, Stopped, true, 0, func(ctx context.Context, d machine.Driver, s machine.Spec, _ []machine.Rule, force bool) error {
			return d.Stop(ctx, s.Key, force)
		}},
		{"deallocate", fabric.VMDeallocate, Deallocating, Deallocated, true, 10, func(ctx context.Context, d machine.Driver, s machine.Spec, _ []machine.Rule, _ bool) error {
			return d.Stop(ctx, s.Key, false)
		}},
	}
}

// deallocation is the action that the platform takes by itself as well.
func deallocation() action {
	all := actions()
	return all[len(all)-1]
}

func powerOf(d *fabric.Document) PowerState { return PowerState(d.Hidden.Str("power")) }

func setPower(t *fabric.Tx, d *fabric.Document, s PowerState) {
	d.Hidden["power"] = string(s)
	d.Hidden["powerSince"] = fabric.Timestamp(t.World().Now())
}

// handle starts an action on request.
func (a action) handle(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := t.Find(r.ID)
	if err != nil {
		return nil, err
	}
	op, err := a.begin(t, d, r)
	if err != nil {
		return nil, err
	}
	return t.Accepted(r, op, fabric.Async{Status: http.StatusAccepted, Async: true, Location: true, RetryAfter: a.retryAfter}), nil
}

func (a action) begin(t *fabric.Tx, d *fabric.Document, r *arm.Request) (fabric.Operation, error) {
	if busy := t.Busy(d.ID); busy != nil {
		if busy.Job == a.job() {
			return *busy, nil
		}
		if busy.Job == jobDelete || !a.preempts && busy.Job != jobTags {
			return fabric.Operation{}, conflict(a.name, d, busy)
		}
		t.Preempt(d.ID)
	}
	if state := provisioning(d); state == "Failed" && powerOf(d) == Unknown && !a.preempts {
		return fabric.Operation{}, arm.Errorf(http.StatusConflict, "OperationNotAllowed",
			"Operation '%s' is not allowed on VM '%s' since the VM has failed to be created.", a.name, arm.Name(d.ID))
	}
	was := powerOf(d)
	if err := a.checkStart(t, d, was); err != nil {
		return fabric.Operation{}, err
	}
	setProvisioning(t, d, "Updating")
	setPower(t, d, a.during)
	t.Put(d)
	op := operation(t, d, a.job(), r.Principal)
	op.Input = map[string]any{"force": r.Query.Get("skipShutdown") == "true", "was": string(was)}
	return t.Begin(op), nil
}

// checkStart refuses a machine that needs a host again when its cores, which do not count
// while it is deallocated, would pass a limit.
func (a action) checkStart(t *fabric.Tx, d *fabric.Document, was PowerState) error {
	if a.after != Running || was != Deallocated || !t.World().Switches.Is(fabric.DeallocatedQuota, "free") {
		return nil
	}
	size, _ := findSize(d.Body.Str("properties", "hardwareProfile", "vmSize"))
	return checkQuota(t, size, d.Body.Str("location"), isSpot(d.Body))
}

func (a action) job() string { return "vm." + a.name }

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
		Settle: settling(func(t *fabric.Tx, d *fabric.Document, op fabric.Operation, err error) {
			if err != nil {
				fail(t, d, op)
				setPower(t, d, p.afterFailure(d, PowerState(op.Input.Str("was"))))
			} else {
				setProvisioning(t, d, fabric.Succeeded)
				setPower(t, d, a.after)
			}
			t.Put(d)
			markDisk(t, d)
			if !powerOf(d).Billed() {
				over(t, d.ID) // nothing is left to be taken back
			}
		}),
	}
}

// afterFailure is what is left of a machine when an action failed: what the driver sees. One
// that was not allocated and does not run has got no host.
func (p *Provider) afterFailure(d *fabric.Document, was PowerState) PowerState {
	switch state := p.observe(d); {
	case state == machine.Running:
		return Running
	case was == Deallocated:
		return Deallocated
	case state == machine.Absent:
		return Unknown
	}
	return Stopped
}

// observe asks the driver; what it cannot tell is absent.
func (p *Provider) observe(d *fabric.Document) machine.State {
	state, err := p.Driver.State(p.world.Context(), d.Hidden.Str("key"))
	if err != nil {
		return machine.Absent
	}
	return state
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
		t.Put(d)
		return nil
	})
}
