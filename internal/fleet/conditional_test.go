package fleet

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// contested is a provider whose one machine somebody else changes just before each write.
type contested struct {
	Machines
	now     agent.Host
	meddle  []func(*agent.Host) // each once, before a write; nil leaves it alone
	wrote   []string            // names of tags, "-" before those removed
	started int
	refuse  error // of starts
}

func (*contested) Name() string { return "p" }

func (c *contested) Get(context.Context, string) (agent.Host, error) {
	h := c.now
	h.Tags = maps.Clone(h.Tags)
	return h, nil
}

func (c *contested) List(ctx context.Context) ([]agent.Host, error) {
	h, err := c.Get(ctx, "")
	return []agent.Host{h}, err
}

func (c *contested) disturb() {
	if len(c.meddle) == 0 {
		return
	}
	if meddle := c.meddle[0]; meddle != nil {
		meddle(&c.now)
		c.now.Version += "'"
	}
	c.meddle = c.meddle[1:]
}

func (c *contested) apply(set map[string]string, remove []string) {
	for _, name := range remove {
		delete(c.now.Tags, name)
		c.wrote = append(c.wrote, "-"+name)
	}
	maps.Copy(c.now.Tags, set)
	c.wrote = append(c.wrote, slices.Sorted(maps.Keys(set))...)
	c.now.Version += "+"
}

func (c *contested) MergeTags(_ context.Context, _ string, set map[string]string, remove []string) error {
	c.disturb()
	c.apply(set, remove)
	return nil
}

func (c *contested) EditTags(_ context.Context, h agent.Host, set map[string]string, remove []string) error {
	c.disturb()
	if h.Version != c.now.Version {
		return agent.ErrChanged
	}
	c.apply(set, remove)
	return nil
}

func (c *contested) Start(context.Context, string, bool, agent.Progress) error {
	c.started++
	if c.refuse == nil {
		c.now.State, c.now.Billing = agent.HostRunning, agent.BillingCompute
	}
	return c.refuse
}

func (c *contested) Stop(context.Context, string, bool, agent.Progress) error {
	c.now.State, c.now.Billing = agent.HostStopped, agent.BillingStorage
	return nil
}

func contestedHost(state agent.HostState, billing agent.Billing, agents ...string) agent.Host {
	h := host("h", state, agents...)
	h.Resource, h.Via, h.Billing, h.Version = "/h", "p", billing, "1"
	h.Tags = map[string]string{
		records.HostName: "mngr-h", records.RunSeconds: "5.000", records.StartedAt: "2026-01-01T00:00:00.000000Z",
		records.HostKeys: "vm=AAAA container=AAAA",
	}
	if billing == agent.BillingStorage {
		h.Tags[records.StoppedBy] = records.StoppedByUser
	}
	records.DecodeHost(&h)
	return h
}

func goesTo(state agent.HostState, billing agent.Billing) func(*agent.Host) {
	return func(h *agent.Host) { h.State, h.Billing = state, billing }
}

func labels(h *agent.Host) { h.Tags["theirs"] = strconv.Itoa(len(h.Tags)) }

// A start and a stop write into the tags what is true of the host as it is when Azure takes
// the write, and write nothing over an operation of somebody else's.
func TestStartsAndStopsWriteOnWhatTheyHaveSeen(t *testing.T) {
	began := time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC)
	start := func(ctx context.Context, f *Fleet, inst Instance, h agent.Host) error {
		_, err := f.power(ctx, inst, &h, true, func(string) {})
		return err
	}
	stop := func(ctx context.Context, f *Fleet, inst Instance, h agent.Host) error {
		return f.tagStopped(ctx, inst, h, func(string) {})
	}
	untag := func(ctx context.Context, f *Fleet, inst Instance, h agent.Host) error {
		h.Tags[records.StoppedBy] = records.StoppedByUser
		return f.untagStart(ctx, inst, Started{Host: h}, nil, func(string) {})
	}
	const opened, closed = "-mngr-stopped-by mngr-run-seconds mngr-started-at", "mngr-run-seconds mngr-started-at mngr-stopped-by"
	stopped := contestedHost(agent.HostStopped, agent.BillingStorage)
	running := contestedHost(agent.HostRunning, agent.BillingCompute)
	for name, c := range map[string]struct {
		host   agent.Host
		act    func(context.Context, *Fleet, Instance, agent.Host) error
		meddle []func(*agent.Host)
		refuse error
		want   string
	}{
		"start":                    {host: stopped, act: start, want: opened},
		"start, labelled":          {host: stopped, act: start, meddle: []func(*agent.Host){labels, labels}, want: opened},
		"start, started meanwhile": {host: stopped, act: start, meddle: []func(*agent.Host){goesTo(agent.HostStarting, agent.BillingCompute)}},
		"start, refused":           {host: stopped, act: start, refuse: errors.New("no"), want: opened + " " + closed},
		"start, refused, started meanwhile": {host: stopped, act: start, refuse: errors.New("no"), want: opened,
			meddle: []func(*agent.Host){nil, goesTo(agent.HostStarting, agent.BillingCompute)}},
		"stop":                            {host: running, act: stop, want: closed},
		"stop, labelled":                  {host: running, act: stop, meddle: []func(*agent.Host){labels, labels}, want: closed},
		"stop, stopping meanwhile":        {host: running, act: stop, meddle: []func(*agent.Host){goesTo(agent.HostStopping, agent.BillingCompute)}},
		"stop, stopped meanwhile":         {host: running, act: stop, meddle: []func(*agent.Host){goesTo(agent.HostStopped, agent.BillingStorage)}},
		"after the start":                 {host: running, act: untag, want: opened},
		"after the start, stopping again": {host: running, act: untag, meddle: []func(*agent.Host){goesTo(agent.HostStopping, agent.BillingCompute)}},
	} {
		c.host.Tags = maps.Clone(c.host.Tags)
		azure := &contested{now: c.host, meddle: c.meddle, refuse: c.refuse}
		azure.now.Tags = maps.Clone(c.host.Tags)
		inst := Instance{Machines: azure}
		f := &Fleet{Now: func() time.Time { return began }, Instances: []Instance{inst}}
		if name == "after the start" {
			azure.now.Tags[records.StoppedBy] = records.StoppedByUser
		}
		err := c.act(t.Context(), f, inst, c.host)
		if (err != nil) != (c.refuse != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Join(azure.wrote, " "); got != c.want {
			t.Errorf("%s: wrote %q, want %q", name, got, c.want)
		}
	}
}
