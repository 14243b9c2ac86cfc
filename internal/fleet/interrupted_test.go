package fleet

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// cutLooking is a provider whose user interrupts while it is asked about a machine.
type cutLooking struct {
	*cutOff
	after int // requests that are answered
}

func (c *cutLooking) Get(ctx context.Context, resource string) (agent.Host, error) {
	if c.after--; c.after < 0 {
		c.cut()
		return agent.Host{}, context.Cause(ctx)
	}
	return c.cutOff.Get(ctx, resource)
}

// cutWriting is one whose user interrupts while tags are written: they are, and nobody is told.
type cutWriting struct{ *cutOff }

func (c *cutWriting) EditTags(ctx context.Context, h agent.Host, set map[string]string, remove []string) error {
	if err := c.cutOff.EditTags(ctx, h, set, remove); err != nil || ctx.Err() != nil {
		return err
	}
	c.cut()
	return context.Cause(ctx)
}

// A start that is interrupted before Azure is asked for one has nothing to take back: the
// machine may run by somebody else's, and what says why it is down stays.
func TestInterruptedBeforeTheStart(t *testing.T) {
	for name, wrap := range map[string]func(*cutOff) Machines{
		"looking": func(c *cutOff) Machines { return &cutLooking{cutOff: c} },
		"writing": func(c *cutOff) Machines { return &cutWriting{cutOff: c} },
	} {
		for _, by := range []string{records.StoppedByUser, ""} {
			h := contestedHost(agent.HostStopped, agent.BillingStorage, "a")
			if h.Tags[records.StoppedBy] = by; by == "" {
				delete(h.Tags, records.StoppedBy)
				h.ChangedAt = time.Now().Add(-time.Hour)
			}
			ctx, cancel := context.WithCancel(t.Context())
			azure := &cutOff{contested: &contested{now: h}, cut: cancel}
			f := &Fleet{Now: time.Now, Instances: []Instance{{Machines: wrap(azure)}}}
			_, err := f.Start(ctx, []Row{{Agent: agent.Record{ID: "agent-a", Name: "a"}, Host: h}}, StartOptions{}, func(string) {})
			if agent.KindOf(err) != agent.KindCanceled || azure.stopped+azure.started > 0 {
				t.Errorf("%s: stopped %d times, started %d times: %v", name, azure.stopped, azure.started, err)
			}
			if got := azure.now.Tags[records.StoppedBy]; got != by {
				t.Errorf("%s: stopped by %q, want %q", name, got, by)
			}
			if !strings.Contains(err.Error(), "not started") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// changing is a provider whose machine is in one state after the other, the last for ever.
type changing struct {
	atAzure
	states []agent.HostState
}

func (c *changing) Get(context.Context, string) (agent.Host, error) {
	h := c.now
	h.State = c.states[0]
	if len(c.states) > 1 {
		c.states = c.states[1:]
	}
	return h, nil
}

// Who waits for a deallocation waits no longer than there is one.
func TestWaitForADeallocationThatDoesNotCome(t *testing.T) {
	for state, c := range map[agent.HostState]struct {
		kind agent.Kind
		hint string
	}{
		agent.HostStopped:  {},
		agent.HostEvicted:  {},
		agent.HostRunning:  {},
		agent.HostStarting: {},
		agent.HostDeleting: {agent.KindConflict, "mngr list # shows when it is gone"},
		agent.HostFailed:   {agent.KindConflict, "mngr start a@h # tries again; mngr destroy @h removes it with the files of its agents"},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, h := time.Now(), host("h", agent.HostStopping, "a")
			h.Agents[0].ID = agent.NewID()
			h.Tags, _ = records.NewHostTags(h)
			inst := Instance{Machines: &changing{atAzure{now: h}, []agent.HostState{agent.HostStopping, agent.HostRunning, agent.HostStopping, state}}}
			err := (&Fleet{Now: time.Now}).deallocated(t.Context(), inst, &h)
			if (err == nil) != (c.kind == "") || err != nil && agent.KindOf(err) != c.kind || agent.HintOf(err) != c.hint {
				t.Errorf("%s: %v, hint %q", state, err, agent.HintOf(err))
			}
			if err == nil && h.State != state || time.Since(began) > time.Minute {
				t.Errorf("%s: %s after %s", state, h.State, time.Since(began))
			}
		})
	}
}

// What a start met on its way tells what to do next, and that is never to destroy a host on
// which agents have worked.
func TestWhatAStartMeets(t *testing.T) {
	const finished, begun = "vm=AAAA container=AAAA", "vm=AAAA"
	for name, c := range map[string]struct {
		keys  string
		state agent.HostState
		hint  string
	}{
		"no room":             {finished, agent.HostStopped, "mngr start a@h # tries again"},
		"evicted":             {finished, agent.HostEvicted, "mngr start a@h # tries again"},
		"failed":              {finished, agent.HostFailed, "mngr start a@h # tries again; mngr destroy @h removes it with the files of its agents"},
		"being deleted":       {finished, agent.HostDeleting, "mngr list # shows when it is gone"},
		"unfinished, down":    {begun, agent.HostStopped, "mngr start a@h # tries again"},
		"unfinished, evicted": {begun, agent.HostEvicted, "mngr destroy --force @h"},
		"unfinished, failed":  {begun, agent.HostFailed, "mngr destroy --force @h"},
	} {
		h := host("h", c.state, "a")
		h.Failure = "AllocationFailed"
		h.Agents[0].ID = agent.NewID()
		h.Tags, _ = records.NewHostTags(h)
		h.Tags[records.HostKeys] = c.keys
		err := (&Fleet{Now: time.Now}).settled(t.Context(), Instance{Machines: &atAzure{now: h}}, &h)
		if agent.KindOf(err) != agent.KindConflict || agent.HintOf(err) != c.hint || !strings.HasSuffix(err.Error(), ": AllocationFailed") {
			t.Errorf("%s: %v, hint %q", name, err, agent.HintOf(err))
		}
	}
}

// Who interrupts a start that somebody else has begun is told that it goes on, and bills.
func TestInterruptedWhileItStarts(t *testing.T) {
	h := contestedHost(agent.HostStarting, agent.BillingCompute, "a")
	ctx, cancel := context.WithCancel(t.Context())
	azure := &cutOff{contested: &contested{now: h}, cut: cancel}
	f := &Fleet{Now: time.Now, Instances: []Instance{{Machines: &cutLooking{cutOff: azure}}}}
	_, err := f.Start(ctx, []Row{{Agent: agent.Record{ID: "agent-a", Name: "a"}, Host: h}}, StartOptions{}, func(string) {})
	if agent.KindOf(err) != agent.KindCanceled || !strings.Contains(err.Error(), "goes on starting") || agent.HintOf(err) != "mngr stop @h # ends the bill" || azure.stopped > 0 {
		t.Errorf("stopped %d times: %v, hint %q", azure.stopped, err, agent.HintOf(err))
	}
}
