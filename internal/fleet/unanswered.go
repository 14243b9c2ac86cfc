package fleet

import (
	"slices"
	"time"

	"mngr/internal/agent"
)

// mayAppear tells of a host that no provider shows whether it may still come: a create on
// this machine has asked for it so shortly ago that Azure may be at it. age is how long ago.
func (f *Fleet) mayAppear(id agent.HostID) (age time.Duration, may bool) {
	saved, err := f.Pending.Saved(id)
	if age = f.Now().Sub(saved); err != nil || age >= time.Duration(agent.DeadlineUnsure) {
		return age, false
	}
	begun, err := f.begun(agent.Host{ID: id})
	return age, err == nil && !begun.Accepted
}

// unanswered is the error of a name that stands for nothing yet, and may soon; nil for others.
func (f *Fleet) unanswered(l Listing, a agent.Address) error {
	ids, err := f.Pending.Known()
	if err != nil {
		return nil // the name is not found, which is the news
	}
	for _, id := range ids {
		o, err := f.pendingOptions(agent.Host{ID: id})
		age, may := f.mayAppear(id)
		switch {
		case err != nil || !may || a.Provider != "" && a.Provider != o.Provider:
		case a.Agent != "" && a.Agent != o.Name || a.Host != "" && a.Host != o.Host && a.Host != string(id):
		case !l.shows(id):
			return agent.Errorf(agent.KindRemains, "host %q is not to be seen, but a create has asked Azure for it %s ago: it may still come, and bill", o.Host, age.Round(time.Second)).
				WithHint("mngr list # shows it once it is there; then: mngr destroy --force @%s", id)
		}
	}
	return nil
}

func (l Listing) shows(id agent.HostID) bool {
	return slices.ContainsFunc(l.Hosts, func(h agent.Host) bool { return h.ID == id })
}
