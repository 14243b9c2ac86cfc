package idle

import (
	"sync"
	"time"
)

// Agent is what the supervisor sees of an agent.
type Agent struct {
	ID      string
	Type    string
	Mode    string
	Alive   bool
	Stopped bool
	Output  int64 // any number that changes when the agent writes to its terminal
}

// Meter remembers when something last happened. Its times are those of this process: what
// happened before the container came up is older than its boot, and so never counts.
type Meter struct {
	mu     sync.Mutex
	boot   time.Time
	ssh    time.Time
	held   int // commands and terminals that run now
	agents map[string]*agentTimes
}

type agentTimes struct {
	created, started, output time.Time
	seen                     int64
}

// NewMeter starts with the boot as its only activity.
func NewMeter() *Meter { return &Meter{boot: time.Now(), agents: make(map[string]*agentTimes)} }

// Boot is when the meter was made.
func (m *Meter) Boot() time.Time { return m.boot }

// Begin says that a command or terminal of a client runs until end is called.
func (m *Meter) Begin() (end func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held++
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.held--
		m.ssh = time.Now()
	})
}

// Touch says that a client moved data.
func (m *Meter) Touch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ssh = time.Now()
}

// Created says that an agent was created.
func (m *Meter) Created(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.agent(id).created = time.Now()
}

// Started says that an agent was started.
func (m *Meter) Started(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.agent(id).started = time.Now()
}

// agent wants mu held.
func (m *Meter) agent(id string) *agentTimes {
	if m.agents[id] == nil {
		m.agents[id] = &agentTimes{}
	}
	return m.agents[id]
}

// facts joins what the meter remembers with the agents as they are now. Output is noticed
// by its number: the terminal's own clock may jump.
func (m *Meter) facts(now time.Time, s Settings, agents []Agent) Facts {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := Facts{Mode: s.Mode, Timeout: s.Timeout, Boot: m.boot, SSH: m.ssh}
	if m.held > 0 {
		f.SSH = now
	}
	for _, a := range agents {
		t := m.agent(a.ID)
		if a.Output != t.seen {
			t.output, t.seen = now, a.Output
		}
		mode, _ := ParseMode(a.Mode)
		f.Agents = append(f.Agents, AgentFacts{
			Type: a.Type, Mode: mode, Alive: a.Alive, Stopped: a.Stopped,
			Created: t.created, Started: t.started, Output: t.output,
		})
	}
	return f
}
