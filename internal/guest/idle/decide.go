package idle

import "time"

// Facts is all that the decision depends on.
type Facts struct {
	Mode    Mode          // of the host; an agent's own mode goes before it
	Timeout time.Duration // 0: never
	Boot    time.Time
	SSH     time.Time // zero: never
	Agents  []AgentFacts
}

// AgentFacts is one agent. A zero time means never.
type AgentFacts struct {
	Type    string
	Mode    Mode
	Alive   bool // its process lives
	Stopped bool // by the user; an ended agent is not stopped
	Created time.Time
	Started time.Time
	Output  time.Time
}

// Verdict is the decision.
type Verdict struct {
	Idle   bool
	Never  bool          // no time will make this host idle
	Since  time.Duration // since the youngest activity
	Left   time.Duration // until the host is idle; meaningless with Never
	Source string        // of the youngest activity
	Mode   Mode          // that counted: of all agents, where it is the same; else the host's, Default where that one chooses by type
}

// Decide says whether the host is idle: it is when all of its agents are.
func Decide(now time.Time, f Facts) Verdict {
	v := Verdict{Mode: f.Mode, Never: f.Timeout <= 0 || f.Mode == Disabled}
	last := f.Boot
	v.Source = string(sourceBoot)
	consider := func(src source, t time.Time) {
		if t.After(last) {
			last, v.Source = t, string(src)
		}
	}
	if len(f.Agents) == 0 {
		for _, src := range f.Mode.sources("") {
			consider(src, f.last(src, AgentFacts{}, now))
		}
	}
	for n, a := range f.Agents {
		mode := f.Mode
		if a.Mode != Default {
			mode = a.Mode
		}
		if mode == Disabled && !a.Stopped {
			v.Never = true
		}
		for _, src := range mode.sources(a.Type) {
			consider(src, f.last(src, a, now))
		}
		switch name := mode.name(a.Type); {
		case n == 0:
			v.Mode = name
		case v.Mode != name: // no one mode decides
			v.Mode = f.Mode
		}
	}
	v.Since = max(0, now.Sub(last))
	v.Left = max(0, f.Timeout-v.Since)
	v.Idle = !v.Never && v.Left == 0
	return v
}

// last is the time of the youngest activity of one source.
func (f Facts) last(src source, a AgentFacts, now time.Time) time.Time {
	switch src {
	case sourceBoot:
		return f.Boot
	case sourceSSH:
		return f.SSH
	case sourceCreate:
		return a.Created
	case sourceStart:
		return a.Started
	case sourceOutput:
		if a.Type != "command" { // a command's output is no sign of a person or of an agent's turn
			return a.Output
		}
	case sourceProcess:
		if a.Alive {
			return now
		}
	}
	return time.Time{}
}

// name is the mode that Default stands for.
func (m Mode) name(agentType string) Mode {
	switch {
	case m != Default:
		return m
	case agentType == "command":
		return "run"
	}
	return "io"
}
