package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/records"
)

// tagged is a provider whose one host keeps the tags that are written to it.
type tagged struct {
	shown
	writes int
}

func (p *tagged) EditTags(_ context.Context, _ agent.Host, set map[string]string, _ []string) error {
	p.writes++
	for name, value := range set {
		p.hosts[0].Tags[name] = value
	}
	return nil
}

// inside is a container that makes the agents that it is told to make.
type inside struct {
	Guests
	agents []ctl.AgentStatus
	others bool // another request has made the agent just before

	silent  bool     // it gives no status
	removed []string // ids
}

func (i *inside) Dial(context.Context, agent.Host, Place) (Guest, error) { return i, nil }
func (i *inside) DialRetry(context.Context, agent.Host, Place, func(error)) (Guest, error) {
	return i, nil
}
func (*inside) Close() error { return nil }

func (i *inside) Run(_ context.Context, c Command) (int, error) {
	var r ctl.Request
	if err := json.NewDecoder(c.Stdin).Decode(&r); err != nil {
		return 1, err
	}
	a := ctl.Answer{Version: ctl.Version, Container: &ctl.ContainerStatus{Agents: i.agents}, Prepared: &ctl.Prepared{WorkDir: "/w"}}
	switch {
	case r.Op == ctl.OpStatus && i.silent:
		a.Container = nil
	case r.Op == ctl.OpAgentRemove:
		i.agents, i.removed = nil, append(i.removed, r.Ref.ID)
	case r.Op == ctl.OpAgentCreate && i.others && r.Agent.Request != "":
		i.agents = append(i.agents, ctl.AgentStatus{ID: r.Agent.ID, Name: r.Agent.Name})
		a = ctl.Answer{Version: ctl.Version, Error: &ctl.Error{Code: ctl.CodeExists, Message: "another create has made it"}}
	case r.Op == ctl.OpAgentCreate:
		i.agents = append(i.agents, ctl.AgentStatus{ID: r.Agent.ID, Name: r.Agent.Name, State: string(agent.Running), WorkDir: "/w"})
		a.Agent = &i.agents[len(i.agents)-1]
	}
	return 0, json.NewEncoder(c.Stdout).Encode(a)
}

// A create of another agent for a host that died between the tag and the host is finished by
// the same create, under the id in the tag; one whose host has it is refused.
func TestHalfMadeAgentIsFinishedByTheSameCreate(t *testing.T) {
	begun := agent.Record{ID: agent.NewID(), Name: "second", Type: "command"}
	tags, err := records.EncodeAgent(begun)
	if err != nil {
		t.Fatal(err)
	}
	tags["mngr-host-keys"] = "vm=ssh-ed25519 AAAA container=ssh-ed25519 AAAA"
	h := agent.Host{Name: "h", State: agent.HostRunning, Resource: "/vm/h", Tags: tags}
	tags["mngr-host-name"] = "mngr-h"
	p, g := &tagged{shown: shown{name: "p", hosts: []agent.Host{h}}}, &inside{}
	f := &Fleet{Now: time.Now, Guests: g, Spots: keptSpots{}, Pending: keptLocks{}, Instances: []Instance{{Machines: p}}}
	o := CreateOptions{Name: "second", Host: "h", Provider: "p", Type: "command", Argv: []string{"true"}}
	made, err := f.Create(t.Context(), o, func(string) {})
	if err != nil || made.Agent.ID != begun.ID || !made.Joined || !made.Finished || len(g.agents) != 1 {
		t.Fatalf("%+v, %v; inside: %+v", made, err, g.agents)
	}
	written := p.writes
	if _, err := f.Create(t.Context(), o, func(string) {}); agent.KindOf(err) != agent.KindExists || p.writes != written || len(g.agents) != 1 {
		t.Errorf("once more: %v, %d writes, inside: %+v", err, p.writes, g.agents)
	}
}

// Of two creates of one name on one host at one moment one fails, and takes nothing from the
// other: be it that the other one is in the tags since the host was looked at, or that it
// took this one for dead and finished it. Nor does one write on a host that goes down.
func TestOneOfTwoCreatesOfAnAgentFails(t *testing.T) {
	other := agent.Record{ID: agent.NewID(), Name: "second", Type: "command"}
	theirs, err := records.EncodeAgent(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		meddle []func(*agent.Host)
		others bool
		want   string
	}{
		"alone":               {nil, false, ""},
		"in the tags":         {[]func(*agent.Host){func(h *agent.Host) { maps.Copy(h.Tags, theirs) }}, false, `agent "second" exists on host "h"`},
		"finished by another": {nil, true, "another create has made it"},
		"unknown":             {nil, true, "whether it has finished this one is not known"},
		"going down":          {[]func(*agent.Host){goesTo(agent.HostStopping, agent.BillingCompute)}, false, `host "h" is STOPPING`},
	} {
		h := contestedHost(agent.HostRunning, agent.BillingCompute)
		azure := &contested{now: h, meddle: c.meddle}
		azure.now.Tags = maps.Clone(h.Tags)
		inst := Instance{Machines: azure}
		g := &inside{others: c.others, silent: name == "unknown"}
		f := &Fleet{Now: time.Now, Guests: g, Instances: []Instance{inst}}
		made, err := f.createOn(t.Context(), inst, h, CreateOptions{Name: "second", Type: "command"}, nil, func(string) {})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", name, made, err)
		}
		if name == "unknown" && (!errors.Is(err, ErrHalfMade) || agent.HintOf(err) == "") {
			t.Errorf("%s: %v, hint %q", name, err, agent.HintOf(err))
		}
		if wrote := strings.Join(azure.wrote, " "); c.meddle != nil && (wrote != "" || len(g.removed) > 0) || c.others && len(g.agents) != 1 || strings.Contains(wrote, "-mngr") {
			t.Errorf("%s: wrote %q, inside %v", name, wrote, g.agents)
		}
	}
}
