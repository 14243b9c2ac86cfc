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

// rewrite changes the tags of a host from what they are now, and returns the host as it
// was then. A record is one tag: of two writers who both read it first, the second would
// undo what the first has done. So Azure is told what was read, and change is asked again
// where somebody else was quicker. Nothing is written where it returns nothing.
func (f *Fleet) rewrite(ctx context.Context, h agent.Host, progress agent.Progress,
	change func(fresh agent.Host) (set map[string]string, remove []string, err error)) (agent.Host, error) {
	for range mostRewrites {
		inst, fresh, err := f.writable(ctx, h, progress)
		if err != nil {
			return h, err
		}
		set, remove, err := change(fresh)
		if err != nil || len(set)+len(remove) == 0 {
			return fresh, err
		}
		if err := fits(fresh, set); err != nil {
			return fresh, err
		}
		write := map[string]string{}
		if records.Fits(fresh.Tags, set) == nil {
			write = f.settle(fresh)
		} else {
			remove = append(remove, records.RunTags()...) // agents need the room
		}
		maps.Copy(write, set)
		progress("recording it in the tags")
		err = inst.EditTags(ctx, fresh, write, remove)
		switch {
		case err == nil:
			return fresh, nil
		case !errors.Is(err, agent.ErrChanged):
			return fresh, fmt.Errorf("record it in the tags of host %q: %w", h.Name, err)
		}
	}
	return h, agent.Errorf(agent.KindConflict, "host %q is changed by others all the time; nothing was changed", h.Name).WithHint("mngr list # then repeat the command")
}
