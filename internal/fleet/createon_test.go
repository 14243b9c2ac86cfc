package fleet

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// crowded is a guest that has no agents and no room for one.
type crowded struct{ asked []string }

func (c *crowded) Run(_ context.Context, command Command) (int, error) {
	var r ctl.Request
	if err := json.NewDecoder(command.Stdin).Decode(&r); err != nil {
		return 1, err
	}
	c.asked = append(c.asked, r.Op)
	answer := ctl.Answer{Version: ctl.Version}
	switch r.Op {
	case ctl.OpStatus:
		answer.Container = &ctl.ContainerStatus{}
	case ctl.OpAgentPrepare:
		answer.Error = &ctl.Error{Code: "failed", Message: "no room"}
	}
	return 0, json.NewEncoder(command.Stdout).Encode(answer)
}

func (*crowded) Close() error { return nil }

type oneGuest struct {
	Guests
	guest Guest
}

func (o oneGuest) DialRetry(context.Context, agent.Host, Place, func(error)) (Guest, error) {
	return o.guest, nil
}

func (w *writes) MergeTags(context.Context, string, map[string]string, []string) error { return nil }

// A create undoes the agent that it began, and not one that another create may be at.
func TestOnlyWhatACreateBeganIsUndone(t *testing.T) {
	h := host("h", agent.HostRunning, "a")
	h.Via = "p"
	for name, c := range map[string]struct {
		create string
		begun  *Row
		want   bool
	}{
		"its own":   {"b", nil, true},
		"another's": {"a", &Row{Agent: h.Agents[0], Host: h}, false},
	} {
		guest := &crowded{}
		inst := Instance{Machines: &writes{atAzure: atAzure{now: h}}}
		f := &Fleet{Now: time.Now, Instances: []Instance{inst}, Guests: oneGuest{guest: guest}}
		_, err := f.createOn(t.Context(), inst, h, CreateOptions{Name: c.create, Type: "command"}, c.begun, func(string) {})
		if err == nil || slices.Contains(guest.asked, ctl.OpAgentRemove) != c.want {
			t.Errorf("%s: asked %v, %v", name, guest.asked, err)
		}
	}
}

// A host that goes away is not one to start.
func TestWhatAHostThatIsDownNeeds(t *testing.T) {
	for state, want := range map[agent.HostState]string{
		agent.HostStopped:  "mngr start a@h # first",
		agent.HostDeleting: "mngr list # shows when it is gone",
	} {
		f := &Fleet{Now: time.Now}
		_, err := f.createOn(t.Context(), Instance{}, host("h", state, "a"), CreateOptions{Name: "b", Type: "command"}, nil, func(string) {})
		if agent.KindOf(err) != agent.KindConflict || agent.HintOf(err) != want {
			t.Errorf("%s: %v, hint %q", state, err, agent.HintOf(err))
		}
	}
}
