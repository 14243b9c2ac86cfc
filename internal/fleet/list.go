package fleet

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/records"
)

// Row is one agent of a listing; Host.Agents may hold more.
type Row struct {
	Agent agent.Record
	State agent.State
	Why   string           // the state is UNKNOWN; else ""
	Guest *ctl.AgentStatus // what the host itself says of the agent; nil where it was not asked
	Host  agent.Host
}

// ProviderError is a provider instance, or a host of it, that could not be asked.
type ProviderError struct {
	Provider string
	Host     string // "" when the whole provider is concerned
	Err      error
}

// Listing is what is known of all hosts.
type Listing struct {
	Hosts  []agent.Host
	Rows   []Row
	Errors []ProviderError
	Costs  Costs           // of the hosts, where somebody has asked for them
	Unused []ProviderError // instances without a login that nobody here has ever used
}

// List asks all providers, or the named ones, in parallel. A provider that fails becomes
// an entry of Errors. With live, running hosts are asked how their agents are.
func (f *Fleet) List(ctx context.Context, providers []string, live bool) (Listing, error) {
	instances, err := f.asked(providers)
	if err != nil {
		return Listing{}, err
	}
	parts := make([]Listing, len(instances))
	var wg sync.WaitGroup
	for n, i := range instances {
		wg.Go(func() { parts[n] = f.listInstance(ctx, i, live) })
	}
	wg.Wait()
	return merge(parts), ctx.Err()
}

// merge drops what two instances of one resource group both see.
func merge(parts []Listing) Listing {
	var all Listing
	seen := map[string]bool{}
	for _, p := range parts {
		all.Errors = append(all.Errors, p.Errors...)
		all.Unused = append(all.Unused, p.Unused...)
		for _, h := range p.Hosts {
			if key := strings.ToLower(h.Resource); !seen[key] {
				seen[key] = true
				all.Hosts = append(all.Hosts, h)
			}
		}
		for _, r := range p.Rows {
			if key := strings.ToLower(r.Host.Resource) + string(r.Agent.ID); !seen[key] {
				seen[key] = true
				all.Rows = append(all.Rows, r)
			}
		}
	}
	slices.SortStableFunc(all.Rows, func(a, b Row) int {
		if c := a.Host.CreatedAt.Compare(b.Host.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Agent.Name, b.Agent.Name)
	})
	return all
}

// asked returns the named instances, or those in use.
func (f *Fleet) asked(providers []string) ([]Instance, error) {
	var instances []Instance
	for _, name := range providers {
		i, err := f.instance(name)
		if err != nil {
			return nil, err
		}
		i.Unused = false
		instances = append(instances, i)
	}
	if len(providers) > 0 {
		return instances, nil
	}
	for _, i := range f.Instances {
		if !i.Dormant {
			instances = append(instances, i)
		}
	}
	return instances, nil
}

func (f *Fleet) listInstance(ctx context.Context, i Instance, live bool) Listing {
	ctx, done := agent.Within(ctx, agent.DeadlineList, "listing the hosts of provider "+i.Name())
	defer done(nil)
	answered := agent.Patiently(ctx, "asking Azure for the machines of provider "+i.Name())
	hosts, err := i.Machines.List(ctx)
	answered()
	if i.missed(err) {
		return Listing{Unused: []ProviderError{{Provider: i.Name(), Err: err}}}
	}
	if err != nil {
		return Listing{Errors: []ProviderError{{Provider: i.Name(), Err: err}}}
	}
	for n := range hosts {
		hosts[n].Via = i.Name()
	}
	out := Listing{Hosts: hosts}
	rows := make([][]Row, len(hosts))
	failures := make([]error, len(hosts))
	var wg sync.WaitGroup
	for n := range hosts {
		wg.Go(func() { rows[n], failures[n] = f.observe(ctx, &out.Hosts[n], live) })
	}
	wg.Wait()
	for _, h := range f.remember(i.Name(), out.Hosts) {
		out.Hosts = append(out.Hosts, h)
		for _, a := range h.Agents {
			out.Rows = append(out.Rows, Row{Agent: a, State: agent.Stopped, Host: h})
		}
	}
	for n := range hosts {
		out.Rows = append(out.Rows, rows[n]...)
		if failures[n] != nil {
			out.Errors = append(out.Errors, ProviderError{Provider: i.Name(), Host: out.Hosts[n].Name, Err: failures[n]})
		}
	}
	return out
}

// observe completes what Azure shows of a host with what its tags and its guest say.
func (f *Fleet) observe(ctx context.Context, h *agent.Host, live bool) ([]Row, error) {
	f.read(h)
	var status *ctl.ContainerStatus
	var problem error
	why := "nobody asked"
	if live && h.State == agent.HostRunning {
		status, problem = f.askContainer(ctx, *h)
	}
	switch {
	case problem == nil:
	case errors.Is(problem, ErrNoAccess): // it is the host, and does not let this machine in
		why, problem = problem.Error(), nil
	case agent.KindOf(problem) == agent.KindUnreachable:
		h.State, h.Failure, problem = agent.HostUnreachable, f.whySilent(ctx, *h, problem), nil
	case agent.KindOf(problem) == agent.KindRefused: // somebody answers who is not the host
		h.State, h.Failure = agent.HostUnauthenticated, problem.Error()
	default:
		why, h.Failure = problem.Error(), problem.Error()
	}
	told(h, status)
	rows := make([]Row, 0, len(h.Agents))
	for _, a := range h.Agents {
		r := Row{Agent: a, Guest: guestOf(status, a.ID), Host: *h}
		if r.State = agentState(*h, a.ID, status); r.State == agent.Unknown {
			r.Why = why
			if h.State != agent.HostRunning {
				r.Why = cmp.Or(h.Failure, "its host is "+string(h.State))
			}
		}
		rows = append(rows, r)
	}
	return rows, problem
}

func guestOf(status *ctl.ContainerStatus, id agent.ID) *ctl.AgentStatus {
	if status == nil {
		return nil
	}
	for n := range status.Agents {
		if status.Agents[n].ID == string(id) {
			return &status.Agents[n]
		}
	}
	return nil
}

// neverWas is why a host is FAILED that nobody has finished in time.
const neverWas = "its creation was never finished"

// read decodes a host's tags. A machine without its container's key in the tags has not
// been finished, whether it runs or has stopped itself since.
func (f *Fleet) read(h *agent.Host) {
	records.DecodeHost(h)
	if !neverFinished(*h) {
		return
	}
	failure := neverWas
	switch h.State {
	case agent.HostRunning:
		h.State = agent.HostCreating
	case agent.HostStopped: // as a rule by its dead-man timer
		failure += "; it is deallocated"
	case agent.HostStoppedBilling:
		failure += "; it is off, and not deallocated"
	default:
		return
	}
	if f.Now().Sub(h.CreatedAt) > agent.AgeAbandoned {
		h.State, h.Failure = agent.HostFailed, failure
	}
}

// askContainer answers ErrNoAccess where the host is up and this machine may not enter.
func (f *Fleet) askContainer(ctx context.Context, h agent.Host) (*ctl.ContainerStatus, error) {
	ctx, done := agent.Within(ctx, agent.DeadlineProbe, "asking host "+h.Name)
	defer done(nil) // whoever asks calls it UNREACHABLE
	guest, err := f.Guests.Dial(ctx, h, Container)
	if errors.Is(err, ErrNoAccess) {
		if err := f.Guests.Probe(ctx, h, Container); err != nil {
			return nil, err
		}
		return nil, ErrNoAccess
	}
	if err != nil {
		return nil, err
	}
	defer guest.Close()
	answer, err := call(ctx, guest, ctl.Request{Op: ctl.OpStatus}, nil)
	if err != nil {
		return nil, err
	}
	return answer.Container, nil
}

func agentState(h agent.Host, id agent.ID, status *ctl.ContainerStatus) agent.State {
	switch h.State {
	case agent.HostRunning:
	case agent.HostStopped, agent.HostStoppedBilling, agent.HostEvicted, agent.HostFailed:
		return agent.Stopped
	default: // silent, or on its way from one state to another
		return agent.Unknown
	}
	switch a := guestOf(status, id); {
	case a != nil:
		return guestState(a.State)
	case status != nil || h.Stopped[id]:
		return agent.Stopped
	}
	return agent.Unknown // it may have ended, which only its host knows
}

// guestState takes a state from a guest, which may say anything.
func guestState(s string) agent.State {
	switch state := agent.State(s); state {
	case agent.Running, agent.Waiting, agent.Done, agent.Stopped:
		return state
	}
	return agent.Unknown
}
