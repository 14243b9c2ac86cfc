package idle

import (
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	now := time.Now()
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	boot := ago(300)
	shell := AgentFacts{Type: "shell", Alive: true, Created: ago(200), Started: ago(190)}
	busy := AgentFacts{Type: "command", Alive: true, Created: ago(200), Started: ago(190)}
	ended := AgentFacts{Type: "command", Created: ago(200), Started: ago(190)}
	with := func(a AgentFacts, change func(*AgentFacts)) AgentFacts {
		change(&a)
		return a
	}
	tests := []struct {
		name   string
		facts  Facts
		idle   bool
		never  bool
		since  int // minutes
		source string
	}{
		{"a fresh host is not", Facts{Boot: ago(10)}, false, false, 10, "boot"},
		{"a forgotten host is", Facts{Boot: boot}, true, false, 300, "boot"},
		{"the timeout itself is", Facts{Boot: ago(60)}, true, false, 60, "boot"},
		{"SSH counts without agents", Facts{Boot: boot, SSH: ago(5)}, false, false, 5, "ssh"},
		{"a busy command outlives its timeout", Facts{Boot: boot, Agents: []AgentFacts{busy}}, false, false, 0, "process"},
		{"an ended command does not", Facts{Boot: boot, Agents: []AgentFacts{ended}}, true, false, 190, "start"},
		{"somebody is connected to an ended command", Facts{Boot: boot, SSH: now, Agents: []AgentFacts{ended}}, false, false, 0, "ssh"},
		{"mode run ignores who is connected", Facts{Mode: "run", Boot: boot, SSH: now, Agents: []AgentFacts{ended}}, true, false, 190, "start"},
		{"a silent shell is idle", Facts{Boot: boot, Agents: []AgentFacts{shell}}, true, false, 190, "start"},
		{"a shell that writes is not", Facts{Boot: boot, Agents: []AgentFacts{with(shell, func(a *AgentFacts) { a.Output = ago(1) })}}, false, false, 1, "output"},
		{"a command in mode io is idle, whatever it writes", Facts{Mode: "io", Boot: boot, Agents: []AgentFacts{with(busy, func(a *AgentFacts) { a.Output = now })}}, true, false, 190, "start"},
		{"mode ssh ignores output", Facts{Mode: "ssh", Boot: boot, Agents: []AgentFacts{with(shell, func(a *AgentFacts) { a.Output = now })}}, true, false, 190, "start"},
		{"mode create ignores starts", Facts{Mode: "create", Boot: boot, Agents: []AgentFacts{with(shell, func(a *AgentFacts) { a.Started = now })}}, true, false, 200, "create"},
		{"mode boot ignores all else", Facts{Mode: "boot", Boot: boot, SSH: now, Agents: []AgentFacts{busy}}, true, false, 300, "boot"},
		{"mode start ignores SSH", Facts{Mode: "start", Boot: boot, SSH: now, Agents: []AgentFacts{shell}}, true, false, 190, "start"},
		{"one agent of two keeps the host", Facts{Boot: boot, Agents: []AgentFacts{ended, busy}}, false, false, 0, "process"},
		{"an agent's own mode goes first", Facts{Mode: "boot", Boot: boot, Agents: []AgentFacts{with(busy, func(a *AgentFacts) { a.Mode = "run" })}}, false, false, 0, "process"},
		{"disabled by the host", Facts{Mode: Disabled, Boot: boot}, false, true, 300, "boot"},
		{"disabled by an agent", Facts{Boot: boot, Agents: []AgentFacts{ended, with(ended, func(a *AgentFacts) { a.Mode = Disabled })}}, false, true, 190, "start"},
		{"a stopped agent disables nothing", Facts{Boot: boot, Agents: []AgentFacts{with(ended, func(a *AgentFacts) { a.Mode, a.Stopped = Disabled, true })}}, true, false, 300, "boot"},
	}
	for _, tt := range tests {
		tt.facts.Timeout = time.Hour
		v := Decide(now, tt.facts)
		if v.Idle != tt.idle || v.Never != tt.never || v.Since != time.Duration(tt.since)*time.Minute || v.Source != tt.source {
			t.Errorf("%s: got %+v", tt.name, v)
		}
		tt.facts.Timeout = 0
		if v := Decide(now, tt.facts); v.Idle || !v.Never {
			t.Errorf("%s, without a timeout: got %+v", tt.name, v)
		}
	}
}

func TestEveryModeButDisabledCountsSomething(t *testing.T) {
	for _, name := range Names() {
		m, err := ParseMode(name)
		if err != nil || (len(m.sources("command")) == 0) != (m == Disabled) {
			t.Errorf("%s: %v, %v", name, m.sources("command"), err)
		}
	}
	if _, err := ParseMode("custom"); err == nil {
		t.Error("custom is a mode")
	}
}

// The mode that is told is the one that decides for all agents, where there is one.
func TestVerdictNamesTheMode(t *testing.T) {
	command, shell := AgentFacts{Type: "command"}, AgentFacts{Type: "shell"}
	for name, c := range map[string]struct {
		facts Facts
		want  Mode
	}{
		"nobody":         {Facts{}, Default},
		"a command":      {Facts{Agents: []AgentFacts{command}}, "run"},
		"two commands":   {Facts{Agents: []AgentFacts{command, command}}, "run"},
		"two types":      {Facts{Agents: []AgentFacts{command, shell, command}}, Default},
		"the host's own": {Facts{Mode: "ssh", Agents: []AgentFacts{command, shell}}, "ssh"},
	} {
		if got := Decide(time.Now(), c.facts).Mode; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
