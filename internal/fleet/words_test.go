package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// ended is a guest whose one agent is in a state, and whose terminal shows something.
type ended struct {
	status ctl.AgentStatus
	pane   string
}

func (e *ended) Run(_ context.Context, command Command) (int, error) {
	if strings.Contains(command.Line, "capture-pane") {
		_, err := io.WriteString(command.Stdout, e.pane)
		return 0, err
	}
	var request ctl.Request
	if err := json.NewDecoder(command.Stdin).Decode(&request); err != nil {
		return 0, err
	}
	answer := ctl.Answer{Version: ctl.Version}
	switch request.Op {
	case ctl.OpStatus:
		answer.Container = &ctl.ContainerStatus{Agents: []ctl.AgentStatus{e.status}}
	case ctl.OpAgentStart:
		begun := e.status
		begun.State, begun.ExitCode = string(agent.Running), nil
		answer.Agent = &begun
	}
	return 0, json.NewEncoder(command.Stdout).Encode(answer)
}

func (*ended) Close() error { return nil }

// attached counts who attaches.
type attached struct {
	oneGuest
	times int
}

func (a *attached) Attach(context.Context, agent.Host, Place, map[string]string, string) (int, error) {
	a.times++
	return 0, nil
}

const deadPane = "\n\nmngrd: start the agent: exec: \"/nonexistent\": no such file \x1b[31m\n\n\nPane is dead (status 127, today)\n"

// Who connects to an agent without a program is told so, and what it said.
func TestConnectToWhatDoesNotRun(t *testing.T) {
	h := host("h", agent.HostRunning, "a")
	h.Via = "p"
	for name, c := range map[string]struct {
		state agent.State
		code  *int
		cause string
		lines string
	}{
		"stopped": {agent.Stopped, nil, `agent "a" is STOPPED`, ""},
		"ended":   {agent.Done, new(127), `agent "a" has ended with code 127`, `mngrd: start the agent: exec: "/nonexistent": no such file [31m`},
		"unknown": {agent.Done, nil, `agent "a" has ended`, `mngrd: start the agent: exec: "/nonexistent": no such file [31m`},
	} {
		guest := &ended{ctl.AgentStatus{ID: string(h.Agents[0].ID), Name: "a", State: string(c.state), ExitCode: c.code}, deadPane}
		guests := &attached{oneGuest: oneGuest{guest: guest}}
		f := &Fleet{Now: time.Now, Guests: guests}
		_, err := f.Connect(t.Context(), Row{Agent: h.Agents[0], Host: h})
		if agent.KindOf(err) != agent.KindConflict || err.Error() != c.cause || !strings.HasPrefix(agent.HintOf(err), "mngr start a") ||
			agent.LinesOf(err) != c.lines || guests.times != 0 {
			t.Errorf("%s: %v (hint %q, lines %q), attached %d times", name, err, agent.HintOf(err), agent.LinesOf(err), guests.times)
		}
		if errors.Is(err, ErrEnded) != (c.state == agent.Done) {
			t.Errorf("%s: %v", name, err)
		}
		guest.status.State, guest.status.ExitCode = string(agent.Running), nil
		if _, err := f.Connect(t.Context(), Row{Agent: h.Agents[0], Host: h}); err != nil || guests.times != 1 {
			t.Errorf("%s: one that runs: %v, attached %d times", name, err, guests.times)
		}
	}
}

// A start says what has become of the program, and why.
func TestStartOfAProgramThatCannotRun(t *testing.T) {
	h := host("h", agent.HostRunning, "a")
	h.Via = "p"
	guest := &ended{ctl.AgentStatus{ID: string(h.Agents[0].ID), Name: "a", State: string(agent.Done), ExitCode: new(127)}, deadPane}
	inst := Instance{Machines: &writes{atAzure: atAzure{now: h}}}
	f := &Fleet{Now: time.Now, Instances: []Instance{inst}, Guests: oneGuest{guest: guest}}
	out := Started{Host: h}
	rows := []Row{{Agent: h.Agents[0], Host: h}}
	if err := f.startAgents(t.Context(), inst, &out, rows, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if len(out.Ended) != 1 || out.Ended[0].Name != "a" || *out.Ended[0].ExitCode != 127 ||
		!strings.Contains(strings.Join(out.Warnings, "\n"), `a: the agent's program cannot be run: exec: "/nonexistent": no such file`) {
		t.Errorf("%+v", out)
	}
	guest.status.State, guest.status.ExitCode = string(agent.Running), nil
	out = Started{Host: h}
	if err := f.startAgents(t.Context(), inst, &out, rows, func(string) {}); err != nil || len(out.Ended)+len(out.Warnings) > 0 {
		t.Errorf("one that runs: %+v, %v", out, err)
	}
}
