package cli

import (
	"cmp"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/fleet"
)

// alarmRow is something about a host that costs money in vain, or may.
type alarmRow struct {
	Alarm   string `json:"alarm"` // stopped_not_deallocated, no_self_stop or unfinished
	Message string `json:"message"`
	Command string `json:"command"` // what ends it
	hint    string // for people, where it may end well, too
}

// remedy is what people are told.
func (a alarmRow) remedy() string { return cmp.Or(a.hint, a.Command) }

// alarmsOf are a host's alarms; none is an empty list.
func alarmsOf(f *fleet.Fleet, h agent.Host) []alarmRow {
	all := []alarmRow{}
	why := ""
	if h.Failure != "" {
		why = ": " + h.Failure
	}
	if h.State == agent.HostStoppedBilling {
		all = append(all, alarmRow{"stopped_not_deallocated",
			"host " + h.Name + " is off but not deallocated, and bills as if it ran" + why, "mngr stop @" + h.Name, ""})
	}
	if f.Unfinished(h) {
		text := "host " + h.Name + " was never finished"
		if why != "" {
			text = "host " + h.Name + " is " + string(h.State) + why
		}
		switch h.Billing {
		case agent.BillingStorage, agent.BillingNone:
		case agent.BillingUnknown:
			text += "; it may bill"
		default:
			text += "; it bills"
		}
		end, finish := "mngr destroy @"+h.Name, ""
		if (h.State == agent.HostStopped || h.State == agent.HostStoppedBilling) && len(h.Agents) > 0 && f.CanFinish(h) {
			finish = "mngr start " + h.Agents[0].Name + "@" + h.Name + " # finishes it; or: " + end
		}
		all = append(all, alarmRow{"unfinished", text, end, finish})
	}
	if h.SelfStop != nil && !*h.SelfStop && h.Billing == agent.BillingCompute {
		end, patience := "mngr stop @"+h.Name, ""
		if strings.Contains(h.SelfStopWhy, "not in effect yet") {
			patience = "mngr list # in some minutes: a role may take ten of them to take effect; if this stays: " + end
		}
		all = append(all, alarmRow{"no_self_stop", "host " + h.Name + " cannot deallocate itself when idle: " + h.SelfStopWhy, end, patience})
	}
	return all
}
