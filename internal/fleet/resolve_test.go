package fleet

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

func host(name string, state agent.HostState, agents ...string) agent.Host {
	h := agent.Host{ID: agent.HostID("host-" + name), Name: name, Provider: "p", State: state, Resource: "/vm/" + name}
	for _, a := range agents {
		h.Agents = append(h.Agents, agent.Record{ID: agent.ID("agent-" + a + "-" + name), Name: a})
	}
	return h
}

func rowsOf(hosts ...agent.Host) []Row {
	var rows []Row
	for _, h := range hosts {
		for _, a := range h.Agents {
			rows = append(rows, Row{Agent: a, Host: h})
		}
	}
	return rows
}

func TestPick(t *testing.T) {
	l := Listing{Rows: rowsOf(host("h1", agent.HostRunning, "a", "b"), host("h2", agent.HostStopped, "a"))}
	tests := []struct {
		address string
		want    string // host, "" for an error
		kind    agent.Kind
	}{
		{"b", "h1", ""},
		{"a@h2", "h2", ""},
		{"a@h2.p", "h2", ""},
		{"a", "", agent.KindUsage},
		{"a@h2.other", "", agent.KindNotFound},
		{"c", "", agent.KindNotFound},
	}
	for _, tt := range tests {
		address, err := agent.ParseAddress(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		row, err := pick(l, address)
		if row.Host.Name != tt.want || err != nil && agent.KindOf(err) != tt.kind {
			t.Errorf("pick(%q) = %q, %v; want %q, %s", tt.address, row.Host.Name, err, tt.want, tt.kind)
		}
	}
}

// A provider that could not be asked may know the agent: it gets the blame, not the user.
func TestNotFoundBlamesTheSilentProvider(t *testing.T) {
	down := agent.Errorf(agent.KindUnreachable, "down").WithHint("wake it")
	l := Listing{Errors: []ProviderError{{Provider: "q", Err: down}}}
	err := notFound(l, agent.Address{Agent: "x"})
	if agent.KindOf(err) != agent.KindUnreachable || agent.HintOf(err) != "wake it" {
		t.Errorf("notFound = %v (%s, %q)", err, agent.KindOf(err), agent.HintOf(err))
	}
	if err := notFound(l, agent.Address{Agent: "x", Host: "h", Provider: "p"}); agent.KindOf(err) != agent.KindNotFound {
		t.Errorf("notFound for another provider = %v", err)
	}
}

func TestPlanDestroy(t *testing.T) {
	h1, h2 := host("h1", agent.HostRunning, "a", "b"), host("h2", agent.HostRunning, "c")
	rows := rowsOf(h1, h2)
	tests := []struct {
		name   string
		rows   []Row
		hosts  []agent.Host
		whole  []string
		agents []string
	}{
		{"one of two", rows[:1], nil, nil, []string{"a"}},
		{"both of two", rows[:2], nil, []string{"h1"}, nil},
		{"the last one", rows[2:], nil, []string{"h2"}, nil},
		{"a host by name", nil, []agent.Host{h1}, []string{"h1"}, nil},
		{"a host and an agent on it", rows[:1], []agent.Host{h1}, []string{"h1"}, nil},
		{"nothing", nil, nil, nil, nil},
	}
	for _, tt := range tests {
		plan := PlanDestroy(tt.rows, tt.hosts)
		var whole, agents []string
		for _, h := range plan.Hosts {
			whole = append(whole, h.Name)
		}
		for _, r := range plan.Agents {
			agents = append(agents, r.Agent.Name)
		}
		if diff := cmp.Diff([][]string{tt.whole, tt.agents}, [][]string{whole, agents}); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestAgentState(t *testing.T) {
	h := host("h", agent.HostRunning, "a")
	id := h.Agents[0].ID
	done := &ctl.ContainerStatus{Agents: []ctl.AgentStatus{{ID: string(id), State: "DONE"}}}
	with := func(s agent.HostState, stopped bool) agent.Host {
		h := h
		h.State, h.Stopped = s, map[agent.ID]bool{id: stopped}
		return h
	}
	tests := []struct {
		name   string
		host   agent.Host
		status *ctl.ContainerStatus
		want   agent.State
	}{
		{"the guest knows", with(agent.HostRunning, false), done, agent.Done},
		{"the guest does not know it", with(agent.HostRunning, false), &ctl.ContainerStatus{}, agent.Stopped},
		{"only tags", with(agent.HostRunning, false), nil, agent.Unknown},
		{"the guest lies", with(agent.HostRunning, false), &ctl.ContainerStatus{Agents: []ctl.AgentStatus{{ID: string(id), State: "\x1b[2J"}}}, agent.Unknown},
		{"tags say stopped", with(agent.HostRunning, true), nil, agent.Stopped},
		{"unreachable", with(agent.HostUnreachable, false), nil, agent.Unknown},
		{"deallocated", with(agent.HostStopped, false), nil, agent.Stopped},
		{"evicted", with(agent.HostEvicted, false), nil, agent.Stopped},
	}
	for _, tt := range tests {
		if got := agentState(tt.host, id, tt.status); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A guest is hostile: its lines reach the terminal without control characters, and it
// cannot make this process hold more than the limit.
func TestGuestOutputIsTamed(t *testing.T) {
	var seen []string
	p := &phases{report: func(s string) { seen = append(seen, s) }}
	if _, err := p.Write([]byte("\x1b[31mmngrd: phase: no\nmngrd: phase: pull\x1b]0;x\x07ing\nlast \x9bline\n")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"pull]0;xing"}, seen); diff != "" {
		t.Error(diff)
	}
	if p.last != "last line" && p.last != "last \ufffdline" {
		t.Errorf("last = %q", p.last)
	}
	l := &limited{limit: 5}
	for range 3 {
		if n, err := l.Write([]byte("abc")); n != 3 || err != nil {
			t.Fatal(n, err)
		}
	}
	if l.String() != "abcab" || !l.cut {
		t.Errorf("kept %q", l.String())
	}
	l = &limited{limit: 5} // as SSH connections do, which ask for more than Write where there is more
	if n, err := io.Copy(l, io.LimitReader(zeros{}, 1<<20)); n != 1<<20 || err != nil || len(l.Bytes()) != 5 || !l.cut {
		t.Errorf("copied %d, kept %d: %v", n, len(l.Bytes()), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestRefuseStopNamesTheOthers(t *testing.T) {
	err := refuseStop(host("h", agent.HostRunning), []string{"x", "y"}, errors.New("silence"))
	if agent.KindOf(err) != agent.KindRefused || !strings.Contains(err.Error(), "x, y") || !strings.Contains(agent.HintOf(err), "--stop-host") {
		t.Errorf("refuseStop = %v (%s)", err, agent.HintOf(err))
	}
}

// Two machines with one host id, as a copied disk or a forged tag makes them: both are
// named, and nothing is done to either.
func TestCopiedHostIsRefused(t *testing.T) {
	a, b := host("web", agent.HostRunning, "x"), host("web", agent.HostRunning, "x")
	b.Name, b.Resource = "copy", "/vm/copy"
	l := Listing{Hosts: []agent.Host{a, b, host("db", agent.HostRunning)}, Rows: rowsOf(a, b)}
	l.Rows = append(l.Rows, rowsOf(host("db", agent.HostRunning, "y"))...)
	check := func(err error) {
		t.Helper()
		if agent.KindOf(err) != agent.KindRefused || !strings.Contains(err.Error(), "/vm/web") || !strings.Contains(err.Error(), "/vm/copy") {
			t.Errorf("got %v", err)
		}
	}
	for _, address := range []agent.Address{{Agent: "x"}, {Agent: "x", Host: "web"}, {Agent: "x", Host: "copy"}} {
		_, err := pick(l, address)
		check(err)
	}
	for _, name := range []string{"web", "copy", string(a.ID)} {
		_, err := findHost(l, name, "")
		check(err)
	}
	if _, err := pick(l, agent.Address{Agent: "y"}); err != nil {
		t.Errorf("another host: %v", err)
	}
	if _, err := findHost(l, "db", ""); err != nil {
		t.Errorf("another host: %v", err)
	}
}

func TestFindHostRefusesToGuess(t *testing.T) {
	other := host("web", agent.HostRunning)
	other.ID, other.Provider, other.Resource = "host-other", "q", "/vm/q/web"
	l := Listing{Hosts: []agent.Host{host("web", agent.HostRunning), other, host("db", agent.HostRunning)}}
	if h, err := findHost(l, "web", ""); h != nil || agent.KindOf(err) != agent.KindUsage {
		t.Errorf("two hosts: %v, %v, want a usage error", h, err)
	}
	if h, err := findHost(l, "web", "q"); err != nil || h.Resource != "/vm/q/web" {
		t.Errorf("with the provider: %v, %v", h, err)
	}
	if h, err := findHost(l, "db", ""); err != nil || h.Name != "db" {
		t.Errorf("one host: %v, %v", h, err)
	}
	if h, err := findHost(l, "none", ""); h != nil || err != nil {
		t.Errorf("no host: %v, %v", h, err)
	}
}

// A host's tag may name an instance that works in another subscription here: operations
// go through the instance that sees the host.
func TestOperationsGoThroughWhoSeesTheHost(t *testing.T) {
	f := &Fleet{Instances: []Instance{{Machines: named("azure")}, {Machines: named("azure-x")}}}
	h := agent.Host{Name: "a", Provider: "azure", Via: "azure-x"}
	i, err := f.machinesOf(h)
	if err != nil || i.Name() != "azure-x" {
		t.Errorf("machinesOf = %v, %v; want azure-x", i, err)
	}
	if _, err := f.machinesOf(agent.Host{Provider: "azure"}); err == nil {
		t.Error("a host that nobody sees was given to its tag's instance")
	}
}

// named is an instance of which only the name matters.
type nameOnly struct {
	Machines
	name string
}

func (n nameOnly) Name() string { return n.name }

func named(name string) Machines { return nameOnly{name: name} }

// Hosts of one name are told apart by their ids, which every command takes.
func TestNamesakesAreToldApart(t *testing.T) {
	one, two := host("h", agent.HostRunning, "a"), host("h", agent.HostRunning, "a")
	two.ID, two.Resource = "host-2", "/vm/2"
	two.Agents[0].ID = "agent-2"
	l := Listing{Hosts: []agent.Host{one, two}, Rows: rowsOf(one, two)}
	_, err := findHost(l, "h", "")
	if agent.KindOf(err) != agent.KindUsage || !strings.Contains(err.Error(), "@host-h") || !strings.Contains(err.Error(), "@host-2") {
		t.Errorf("findHost: %v", err)
	}
	_, err = pick(l, agent.Address{Agent: "a"})
	if agent.KindOf(err) != agent.KindUsage || !strings.Contains(err.Error(), "a@host-h") || !strings.Contains(err.Error(), "a@host-2") {
		t.Errorf("pick: %v", err)
	}
	if row, err := pick(l, agent.Address{Agent: "a", Host: "host-2"}); err != nil || row.Host.Resource != "/vm/2" {
		t.Errorf("pick by id: %v, %v", row.Host.Resource, err)
	}
}
