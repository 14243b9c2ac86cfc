package fleet

import (
	"context"
	"errors"
	"fmt"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// whose tells by whom a machine has been started: it decides what may be taken back.
type whose int

const (
	nobodys whose = iota // nothing has begun here
	theirs               // somebody else has started it meanwhile, or it may run by somebody else
	ours
)

// unless a start has begun nothing it is whose it would be.
func (w whose) unless(err error) whose {
	if errors.Is(err, agent.ErrNothingBegun) {
		return nobodys
	}
	return w
}

// cutShort ends a start of a machine that was interrupted. What this command has not begun it
// leaves alone.
func (f *Fleet) cutShort(ctx context.Context, inst Instance, h agent.Host, by whose, progress agent.Progress) error {
	switch by {
	case nobodys:
		return agent.Errorf(agent.KindCanceled, "interrupted; host %q was not started", h.Name)
	case theirs:
		return agent.Errorf(agent.KindCanceled, "interrupted; host %q runs, or may, and bills: somebody else has started it", h.Name).WithHint("mngr list")
	}
	return f.stopAgain(ctx, inst, h, interrupted(), progress)
}

// PhaseStopAgain is the phase in which a start takes itself back.
const PhaseStopAgain = "undoing: deallocating the machine again (interrupt again to leave at once)"

func interrupted() error { return agent.Errorf(agent.KindCanceled, "interrupted") }

// stopAgain takes back the start of a machine that was down: nobody waits for its agents any
// more, or it is one too many. Azure may have accepted the start or not.
func (f *Fleet) stopAgain(ctx context.Context, inst Instance, h agent.Host, cause error, progress agent.Progress) error {
	ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineUndo, "deallocating host "+h.Name+" again")
	defer done(nil)
	progress(PhaseStopAgain)
	if err := inst.Machines.Stop(ctx, h.Resource, true, progress); err != nil {
		return &agent.Error{Kind: agent.KindRemains, Err: err, Hint: "mngr stop @" + h.Name,
			Cause: fmt.Sprintf("%v; host %q may run, and bill: %v", cause, h.Name, err)}
	}
	if fresh, err := inst.Get(ctx, h.Resource); err == nil && fresh.Billing == agent.BillingStorage {
		f.refresh(&h, fresh)
		_ = f.closeRun(ctx, inst, h, progress, isDown) // who stopped it is worth no other error
	}
	return &agent.Error{Kind: agent.KindOf(cause), Err: cause, Hint: agent.HintOf(cause),
		Cause: fmt.Sprintf("%v; host %q is deallocated again", cause, h.Name)}
}

// takeRunBack says of a machine that has not started that it is as it was. It does what it
// can: minutes of a start in vain are little, and the start's own error is the news.
func (f *Fleet) takeRunBack(ctx context.Context, inst Instance, was agent.Host) {
	ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineAccept, "recording that it has not started")
	defer done(nil)
	fresh, err := f.look(ctx, inst, was)
	if err != nil {
		return
	}
	_, _ = f.write(ctx, inst, fresh, func(string) {}, func(now agent.Host) (map[string]string, []string, error) {
		if now.Billing != agent.BillingStorage {
			return nil, nil, nil // it runs, or will
		}
		set := f.settle(was)
		if by := was.Tags[records.StoppedBy]; by != "" {
			set[records.StoppedBy] = by
		}
		return set, nil, nil
	})
}
