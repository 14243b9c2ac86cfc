package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mngr/internal/agent"
)

// No request at Azure is about hosts' names, which are tags. Who gives one to a host, in a
// create or in a rename, writes it and then looks whether the name is the only one: of two
// writers the second sees the first. The younger host that sees another one gives way; the
// older one waits for that a while, since the other may have looked too early to see it, and
// then does so itself.

// looksForAName is how often the older of two hosts looks whether the other one, which got
// its name at the same moment, gives way, and how often anybody looks for what it has written.
const looksForAName = 4

// PhaseName is the phase in which a host's new name is looked for on other hosts.
const PhaseName = "looking whether the name is the only one"

// onlyName looks whether a host h, whose name was just written, is the only one that has it.
// unknown says why nobody can say.
func (f *Fleet) onlyName(ctx context.Context, inst Instance, h agent.Host, name string) (only bool, unknown error) {
	for n := 1; ; n++ {
		listed, err := inst.Names(ctx)
		if err != nil {
			return false, err
		}
		hosts := f.there(inst, listed)
		at := namesake(hosts, h, name)
		seen := slices.ContainsFunc(hosts, func(o agent.Host) bool { return o.Name == name && sameMachine(o, h) })
		switch {
		case at < 0 && seen:
			return true, nil
		case at >= 0 && (n == looksForAName || byAge(h, hosts[at]) > 0):
			return false, nil
		case n == looksForAName: // a list that lags behind
			return false, errors.New("it is in no list of Azure's yet")
		}
		if err := pause(ctx); err != nil {
			return false, err
		}
	}
}

// namesake finds another host of the same provider that has a name; -1 for none.
func namesake(hosts []agent.Host, h agent.Host, name string) int {
	return slices.IndexFunc(hosts, func(o agent.Host) bool {
		return o.Name == name && o.Provider == h.Provider && !sameMachine(o, h)
	})
}

// stays tells whether a machine that has just been accepted may be kept: somebody else may
// have made a host at the same moment, or called one by its name. The machine boots meanwhile.
// An interrupt is none of its concern: whoever goes on meets it.
func (f *Fleet) stays(ctx context.Context, inst Instance, made *Created, progress agent.Progress) error {
	name := made.Host.Name
	progress(PhaseName)
	switch only, err := f.onlyName(ctx, inst, made.Host, name); {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		made.Warnings = append(made.Warnings, fmt.Sprintf("whether another host got the name %q at the same moment is not known (mngr list shows it): %v", name, err))
	case !only:
		return agent.Errorf(agent.KindExists, "somebody else called another host %q at the same moment; this one is removed", name).
			WithHint("choose another name")
	}
	if err := f.mayStay(ctx, inst, made.Host); agent.KindOf(err) != agent.KindCanceled {
		return err
	}
	return nil
}

// nameIsOurs takes a rename back whose name somebody else has given to another host.
func (f *Fleet) nameIsOurs(ctx context.Context, h agent.Host, name string, progress agent.Progress) (warning string, err error) {
	inst, err := f.machinesOf(h)
	if err != nil {
		return "", err
	}
	progress(PhaseName)
	switch only, err := f.onlyName(ctx, inst, h, name); {
	case only:
		return "", nil
	case err == nil:
		return "", f.giveNameBack(ctx, h, name, progress)
	default:
		return fmt.Sprintf("host %q is called %q now; whether another one got that name at the same moment is not known: %v", h.Name, name, err), nil
	}
}
