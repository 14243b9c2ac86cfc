package compute

import (
	"context"
	"net/http"
	"slices"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
)

// action is a POST on a machine that becomes an operation.
type action struct {
	name, takes   string     // takes is a duration of the fabric
	during, after PowerState // Unknown: as it was
	preempts      bool       // a later write ends an operation under way
	needsRunning  bool       // refused unless the machine runs, or is set to
	generalized   bool       // allowed on a generalized machine
	retryAfter    int
	drive         func(ctx context.Context, d machine.Driver, s machine.Spec, r []machine.Rule, force bool) error
}

func actions() []action {
	return []action{
		{name: "start", takes: fabric.VMStart, during: Starting, after: Running, retryAfter: 10, drive: start},
		{name: "restart", takes: fabric.VMRestart, during: Running, after: Running, needsRunning: true, retryAfter: 10, drive: restart},
		{name: "redeploy", takes: fabric.VMRedeploy, during: Starting, after: Running, needsRunning: true, retryAfter: 10, drive: redeploy},
		{name: "reapply", takes: fabric.VMReapply, retryAfter: 10, drive: nothing},
		{name: "powerOff", takes: fabric.VMPowerOff, during: Stopping, after: Stopped, preempts: true, generalized: true, drive: powerOff},
		{name: "deallocate", takes: fabric.VMDeallocate, during: Deallocating, after: Deallocated, preempts: true, generalized: true, retryAfter: 10, drive: powerOff},
	}
}

func start(ctx context.Context, d machine.Driver, s machine.Spec, r []machine.Rule, _ bool) error {
	return d.Start(ctx, s, r)
}

// restart boots a machine whose guest has switched itself off: it is set to run.
func restart(ctx context.Context, d machine.Driver, s machine.Spec, r []machine.Rule, _ bool) error {
	if state, err := d.State(ctx, s.Key); err == nil && state != machine.Running {
		return d.Start(ctx, s, r)
	}
	return d.Restart(ctx, s.Key)
}

// redeploy moves a machine to another host: it goes off and boots there.
func redeploy(ctx context.Context, d machine.Driver, s machine.Spec, r []machine.Rule, _ bool) error {
	if err := d.Stop(ctx, s.Key, false); err != nil {
		return err
	}
	return d.Start(ctx, s, r)
}

func powerOff(ctx context.Context, d machine.Driver, s machine.Spec, _ []machine.Rule, force bool) error {
	return d.Stop(ctx, s.Key, force)
}

func nothing(context.Context, machine.Driver, machine.Spec, []machine.Rule, bool) error { return nil }

// deallocation is the action that the platform takes by itself as well.
func deallocation() action {
	all := actions()
	return all[slices.IndexFunc(all, func(a action) bool { return a.after == Deallocated })]
}

func (a action) job() string { return "vm." + a.name }

// handle starts an action on request.
func (a action) handle(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := t.Find(r.ID)
	if err != nil {
		return nil, err
	}
	if a.after == Deallocated && r.Query.Get("hibernate") == "true" {
		// No machine here was made with the capability; PUT refuses it.
		return nil, notAllowed("The 'hibernate' operation is not allowed on VM '%s' since it does not have the hibernation capability enabled. For more information, see https://aka.ms/hibernate-resume/errors.", arm.Name(d.ID))
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
	was := powerOf(d)
	if err := a.check(d, was); err != nil {
		return fabric.Operation{}, err
	}
	fate, err := a.allocate(t, d, was)
	if err != nil {
		return fabric.Operation{}, err
	}
	setProvisioning(t, d, "Updating")
	if a.during != Unknown && !a.idle(was) {
		setPower(t, d, a.during)
	}
	t.Put(d)
	op := operation(t, d, a.job(), r.Principal)
	op.Fate = fate
	op.Input = map[string]any{"force": r.Query.Get("skipShutdown") == "true", "was": string(was)}
	return t.Begin(op), nil
}

// idle tells whether an action finds nothing to do: what has no host needs not be switched off.
func (a action) idle(was PowerState) bool { return a.after == Stopped && was == Deallocated }

// check refuses what a machine in its state cannot do.
func (a action) check(d *fabric.Document, was PowerState) error {
	switch {
	case d.Hidden.Bool("generalized") && !a.generalized:
		return notAllowed("Operation '%s' is not allowed on VM '%s' since the VM is generalized.", a.name, arm.Name(d.ID))
	case was == Unknown && a.after == Running:
		return notAllowed("Operation '%s' is not allowed on VM '%s' since the VM has failed to be created.", a.name, arm.Name(d.ID))
	case a.needsRunning && !setToRun(d):
		return needsRunning()
	}
	return nil
}

// allocate finds a host for a machine that was deallocated: for its cores, where they did
// not count meanwhile, there must be quota again, and for it capacity.
func (a action) allocate(t *fabric.Tx, d *fabric.Document, was PowerState) (*fabric.Fate, error) {
	if a.after != Running || was != Deallocated {
		return nil, nil
	}
	if t.World().Switches.Is(fabric.DeallocatedQuota, "free") {
		size, _ := findSize(sizeOf(d))
		if err := checkQuota(t, size, d.Body.Str("location"), isSpot(d.Body)); err != nil {
			return nil, err
		}
	}
	return allocate(t, d)
}

// needsRunning is the refusal of what only a machine that runs can do (cloudypad#69).
func needsRunning() error {
	return notAllowed("The operation requires the VM to be running (or set to run).")
}

func notAllowed(format string, args ...any) *arm.Error {
	return arm.Errorf(http.StatusConflict, "OperationNotAllowed", format, args...)
}
