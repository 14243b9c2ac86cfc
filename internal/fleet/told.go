package fleet

import (
	"context"
	"fmt"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/plain"
)

// maxWord bounds what a guest says of its host.
const maxWord = 200

// told fills in what a host's guest says about the host's own end. A guest may say anything.
func told(h *agent.Host, status *ctl.ContainerStatus) {
	if status == nil {
		return
	}
	h.Idle = &agent.Idle{Mode: word(status.IdleMode), TimeoutSeconds: max(0, status.IdleTimeout)}
	if status.SecondsLeft != nil {
		h.Idle.SecondsLeft = new(max(0, *status.SecondsLeft))
	}
	if d := status.Disk; d != nil && full(*d) {
		h.Failure = fmt.Sprintf("its disk is full: %d MB of %d GB are free", max(0, d.Free)>>20, d.Size>>30)
	}
	m := status.Machine
	if m == nil {
		return
	}
	if m.SelfStop != nil && h.SelfStop == nil { // Azure's own word goes first
		h.SelfStop = m.SelfStop
		if !*m.SelfStop {
			h.SelfStopWhy = word(m.SelfStopWhy)
		}
	}
	if m.ShutdownAt != nil {
		h.ShutdownAt = m.ShutdownAt.UTC()
	}
}

// full tells a disk on which agents, or the machine itself, will soon fail to write: less
// than a hundredth of it is free, and less than a container's ordinary work may write at once.
func full(d ctl.Disk) bool { return d.Size > 0 && d.Free < min(d.Size/100, 256<<20) }

// repairSelfStop gives a machine that says it may not deallocate itself the right to, and
// warns where that cannot be done from here.
func (f *Fleet) repairSelfStop(ctx context.Context, inst Instance, g Guest, h agent.Host) []string {
	answer, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpStatus}, nil)
	if err != nil || answer.Container == nil || answer.Container.Machine == nil {
		return nil
	}
	if may := answer.Container.Machine.SelfStop; may == nil || *may {
		return nil
	}
	if ok, why := inst.LetStopItself(ctx, h.Resource); !ok {
		return []string{cannotStopItself(why)}
	}
	return nil
}

func word(s string) string { return plain.Line(s, maxWord) }
