package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mngr/e2e/rig"
)

// Differs says how a world differs from what is seen at Azure; nil when it does not.
func (w World) Differs(s Seen) []string {
	var out []string
	differ := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if w.Prepared != s.Prepared {
		differ("prepared: %v, seen %v", w.Prepared, s.Prepared)
	}
	for _, h := range w.Hosts {
		n := slices.IndexFunc(s.Hosts, func(o SeenHost) bool { return o.Born == h.Born })
		if n < 0 {
			differ("machine %s is gone", h.Born)
			continue
		}
		o := s.Hosts[n]
		want := SeenHost{Born: h.Born, Name: h.Name, ID: h.ID, Resource: o.Resource, Finished: h.Finished, Power: h.Power, StoppedBy: h.StoppedBy,
			Granted: h.Granted}
		if h.ID == "" {
			want.ID = o.ID
		}
		if !h.Granted {
			want.Granted = o.Granted // nobody knows
		}
		if want != o {
			differ("machine %s: want %+v, seen %+v", h.Born, want, o)
		}
	}
	for _, o := range s.Hosts {
		if w.find(func(h Host) bool { return h.Born == o.Born }) == nil {
			differ("machine %s is too many: %+v", o.Born, o)
		}
	}
	for _, born := range s.Stray {
		if !slices.Contains(w.Stale, born) {
			differ("a role assignment of an earlier machine %s", born)
		}
	}
	for _, l := range s.Loose {
		differ("loose: %s", l)
	}
	return out
}

// Learn takes over what could not be known before.
func (w *World) Learn(s Seen) {
	for n := range w.Hosts {
		h := &w.Hosts[n]
		for _, o := range s.Hosts {
			if o.Born == h.Born {
				h.ID = o.ID
			}
		}
	}
	w.Stale = slices.DeleteFunc(w.Stale, func(born string) bool { return !slices.Contains(s.Stray, born) })
}

// DiffersFromList says how a world differs from what an operator's `mngr list` shows.
func (w World) DiffersFromList(l rig.Listing) []string {
	var out []string
	differ := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, e := range l.Errors {
		differ("error: %s", e.Message)
	}
	for _, h := range w.Hosts {
		n := slices.IndexFunc(l.Hosts, func(o rig.Host) bool { return o.ID == h.ID })
		if n < 0 {
			differ("host %s (%s) is not listed", h.Name, h.ID)
			continue
		}
		o := l.Hosts[n]
		if o.Name != h.Name || !h.shows(o.State, o.Billing) || !slices.Equal(o.Agents, []string{h.Agent}) {
			differ("host %s: want agent %s, %s, finished %v; listed %+v", h.Name, h.Agent, h.Power, h.Finished, o)
		}
		m := slices.IndexFunc(l.Agents, func(a rig.Agent) bool { return a.Host.ID == h.ID })
		if m < 0 || l.Agents[m].Name != h.Agent || !maps.Equal(l.Agents[m].Labels, h.Labels) {
			differ("agent %s: want labels %v; listed %+v", h.Agent, h.Labels, l.Agents)
		}
	}
	if len(l.Hosts) != len(w.Hosts) || len(l.Agents) != len(w.Hosts) {
		differ("%d hosts with %d agents are listed, and there are %d", len(l.Hosts), len(l.Agents), len(w.Hosts))
	}
	return out
}

// shows tells whether a state and what it bills are those of a host.
func (h Host) shows(state, billing string) bool {
	switch {
	case h.Power == NeverRan:
		return state == "FAILED"
	case h.Power == Deallocated:
		return state == "STOPPED" && billing == "storage"
	case !h.Finished:
		return state == "CREATING" && billing == "compute"
	}
	// Nobody answers on a driver without guests.
	return (state == "UNREACHABLE" || state == "RUNNING") && billing == "compute"
}

// DiffersFromBill says how a world differs from what the local Azure bills now.
func (w World) DiffersFromBill(billed []rig.Charge) []string {
	count := map[string]int{}
	var out []string
	for _, c := range billed {
		owner := ""
		for _, h := range w.Hosts {
			if strings.Contains(strings.ToLower(c.Resource), "/mngr-"+h.Born+"-") {
				owner = h.Born
			}
		}
		if owner == "" {
			out = append(out, fmt.Sprintf("%s is billed as %s, and is no host's", c.Resource, c.Meter))
		}
		count[owner+" "+c.Meter]++
	}
	for _, h := range w.Hosts {
		want := map[string]int{"compute": 1, "disk": 1, "address": 1}
		if h.Power != Running {
			want["compute"] = 0
		}
		for meter, n := range want {
			if got := count[h.Born+" "+meter]; got != n && !(h.Power == NeverRan && got <= 1 && meter != "compute") {
				out = append(out, fmt.Sprintf("host %s (%s) pays %s %d times, want %d", h.Name, h.Power, meter, got, n))
			}
		}
	}
	return out
}
