package fleet

import (
	"context"

	"mngr/internal/agent"
)

// made waits until Azure has made, or failed to make, the machine of a host that is to be
// stopped. A deallocation before that would preempt the creation: the machine would be
// FAILED, bill or not, and could be neither started nor stopped. It leaves in h the host as
// it is then.
func (f *Fleet) made(parent context.Context, inst Instance, h *agent.Host, progress agent.Progress) (err error) {
	if h.State != agent.HostCreating {
		return nil
	}
	phase := "waiting for Azure to finish making the machine of host " + h.Name
	ctx, done := agent.Within(parent, agent.DeadlineOperation, phase)
	defer done(&err)
	for told := false; ; {
		fresh, err := inst.Get(ctx, h.Resource)
		switch {
		case parent.Err() != nil:
			return agent.Errorf(agent.KindCanceled, "interrupted; nothing was changed: Azure goes on making the machine of host %q, and it bills", h.Name).
				WithHint("mngr destroy @%s # removes it at once; mngr stop @%s waits again", h.Name, h.Name)
		case agent.KindOf(err) == agent.KindNotFound:
			return destroyedMeanwhile(*h, err)
		case err != nil:
			return err
		case fresh.State == agent.HostDeleting:
			return agent.Errorf(agent.KindConflict, "host %q is being deleted", h.Name)
		case fresh.State != agent.HostCreating: // Azure's own word: an unfinished host that runs is CREATING for list
			f.refresh(h, fresh)
			h.State = fresh.State
			return nil
		}
		if !told {
			progress(phase + ", which bills")
			told = true
		}
		if err := pause(ctx); err != nil && parent.Err() == nil {
			return err
		}
	}
}
