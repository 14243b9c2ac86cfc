package fleet

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// hostile is a guest whose agents have taken over everything that it says.
type hostile struct {
	out, err string
	exit     int
}

func (h hostile) Run(_ context.Context, c Command) (int, error) {
	_, _ = io.Copy(io.Discard, c.Stdin)
	_, _ = io.WriteString(c.Stderr, h.err)
	_, _ = io.WriteString(c.Stdout, h.out)
	return h.exit, nil
}

func (hostile) Close() error { return nil }

// Whatever a guest answers, what reaches a terminal is bounded and printable, and no word of
// the guest's becomes a state that nobody knows.
func FuzzAnswer(f *testing.F) {
	status := func(c ctl.ContainerStatus) string {
		b, err := json.Marshal(ctl.Answer{Version: ctl.Version, Container: &c})
		if err != nil {
			f.Fatal(err)
		}
		return string(b)
	}
	id := string(agent.NewID())
	f.Add(status(ctl.ContainerStatus{Agents: []ctl.AgentStatus{{ID: id, State: "RUNNING", CreatedAt: time.Unix(0, 0)}}, IdleMode: "io", IdleTimeout: 60, SecondsLeft: new(-5)}), ctl.ProgressPrefix+"one\n", 0)
	f.Add(status(ctl.ContainerStatus{IdleMode: "\x1b]0;x\x07", IdleTimeout: -1, Machine: &ctl.Machine{SelfStop: new(false), SelfStopWhy: strings.Repeat("x\n", 500)}}), "", 0)
	f.Add(`{"version":1,"error":{"code":"failed","message":"a\u001b[2J`+strings.Repeat("b", 5000)+`","detail":"c\u0007\nd"}}`, ctl.OutputPrefix+"\x1b[31mx\n", 1)
	f.Add(`{"version":1,"error":{"code":"failed","message":""}}`, "", 1)
	f.Add(`{"version":1,"container":{"agents":[{"id":"`+id+`","state":"\u202eSTOPPED"}],"disk":{"size":-1,"free":-9223372036854775808}}}`, "last\x1b", 0)
	f.Add("null", "panic: x\n\n", 2)
	f.Fuzz(func(t *testing.T, out, errs string, exit int) {
		var shown []string
		say := func(line string) { shown = append(shown, line) }
		answer, err := exchange(t.Context(), hostile{out, errs, exit}, ctl.Request{Op: ctl.OpStatus}, strings.NewReader(""), &phases{report: say, output: say})
		if err != nil {
			shown = append(shown, err.Error(), agent.HintOf(err))
			if n := len(agent.LinesOf(err)); n > maxDetail {
				t.Errorf("%d bytes explain the error", n)
			}
		}
		h := agent.Host{State: agent.HostRunning}
		told(&h, answer.Container)
		shown = append(shown, h.Failure, h.SelfStopWhy)
		if h.Idle != nil {
			shown = append(shown, h.Idle.Mode)
			if h.Idle.TimeoutSeconds < 0 || h.Idle.SecondsLeft != nil && *h.Idle.SecondsLeft < 0 {
				t.Errorf("idle: %+v", *h.Idle)
			}
		}
		for _, s := range shown {
			if len(s) > maxLine+200 || strings.ContainsFunc(s, unicode.IsControl) {
				t.Errorf("%d bytes, or not fit for a terminal: %.200q", len(s), s)
			}
		}
		for _, a := range agents(answer.Container) {
			switch state := agentState(h, agent.ID(a.ID), answer.Container); state {
			case agent.Running, agent.Waiting, agent.Done, agent.Stopped, agent.Unknown:
			default:
				t.Errorf("state %q", state)
			}
		}
	})
}

func agents(s *ctl.ContainerStatus) []ctl.AgentStatus {
	if s == nil {
		return nil
	}
	return s.Agents
}
