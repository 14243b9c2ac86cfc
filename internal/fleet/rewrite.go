package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// mostRewrites bounds how often a change gives way to others. Each time another one has
// been made, so that even a crowd gets through.
const mostRewrites = 20

// change says what is to be written into the tags of a host that is as it is now.
type change func(now agent.Host) (set map[string]string, remove []string, err error)

// rewrite changes the tags of a host from what they are once nothing is under way on its
// machine, and settles its account. It returns the host as it was then.
func (f *Fleet) rewrite(ctx context.Context, h agent.Host, progress agent.Progress, what change) (agent.Host, error) {
	inst, now, err := f.writable(ctx, h, progress)
	if err != nil {
		return h, err
	}
	again := func() (agent.Host, error) {
		_, now, err := f.writable(ctx, h, progress)
		return now, err
	}
	return edit(ctx, inst, now, again, progress, func(now agent.Host) (map[string]string, []string, error) {
		set, remove, err := what(now)
		if err != nil || len(set)+len(remove) == 0 {
			return nil, nil, err
		}
		if err := fits(now, set); err != nil {
			return nil, nil, err
		}
		write := map[string]string{}
		if records.Fits(now.Tags, set) == nil {
			write = f.settle(now)
		} else {
			remove = append(remove, records.RunTags()...) // agents need the room
		}
		maps.Copy(write, set)
		return write, remove, nil
	})
}

// write changes the tags of a host that has just been looked at, at once or not at all:
// while something is under way on its machine there may be nothing to write.
func (f *Fleet) write(ctx context.Context, inst Instance, h agent.Host, progress agent.Progress, what change) (agent.Host, error) {
	return edit(ctx, inst, h, func() (agent.Host, error) { return f.look(ctx, inst, h) }, progress, what)
}

// edit is how all change tags of a host that exists. Of two writers who both read a tag
// first the second would undo what the first has done, and a write while an operation is
// under way on the machine can preempt it. So Azure is told what was read, and what to write
// is asked again where somebody else was quicker. Nothing is written where that is nothing.
func edit(ctx context.Context, inst Instance, h agent.Host, again func() (agent.Host, error), progress agent.Progress, what change) (agent.Host, error) {
	for range mostRewrites {
		set, remove, err := what(h)
		if err != nil || len(set)+len(remove) == 0 {
			return h, err
		}
		progress("recording it in the tags")
		err = inst.EditTags(ctx, h, set, remove)
		switch {
		case err == nil:
			return h, nil
		case !errors.Is(err, agent.ErrChanged):
			return h, fmt.Errorf("record it in the tags of host %q: %w", h.Name, err)
		}
		fresh, err := again()
		if err != nil {
			return h, err
		}
		h = fresh
	}
	return h, agent.Errorf(agent.KindConflict, "host %q is changed by others all the time; nothing was changed", h.Name).WithHint("mngr list # then repeat the command")
}

// look reads a host as it is now, in Azure's own words: one that is not finished and runs
// is RUNNING here.
func (f *Fleet) look(ctx context.Context, inst Instance, h agent.Host) (agent.Host, error) {
	fresh, err := inst.Get(ctx, h.Resource)
	if err != nil {
		return h, err
	}
	fresh.Via = h.Via
	records.DecodeHost(&fresh)
	return fresh, nil
}
