package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// hung is a container that never answers one operation.
type hung struct {
	inside
	op string
}

func (h *hung) Dial(context.Context, agent.Host, Place) (Guest, error) { return h, nil }
func (h *hung) DialRetry(context.Context, agent.Host, Place, func(error)) (Guest, error) {
	return h, nil
}
func (*hung) Forget(agent.HostID) error { return nil }

func (h *hung) Run(ctx context.Context, c Command) (int, error) {
	request, err := io.ReadAll(c.Stdin)
	if err != nil {
		return 1, err
	}
	var r ctl.Request
	if err := json.Unmarshal(request, &r); err != nil {
		return 1, err
	}
	if r.Op == h.op {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	c.Stdin = bytes.NewReader(request)
	return h.inside.Run(ctx, c)
}

var anyID = regexp.MustCompile(`agent-[0-9a-f]{32}`)

// keepsTags is a provider that removes no tags.
type keepsTags struct{ Machines }

func (keepsTags) MergeTags(context.Context, string, map[string]string, []string) error {
	return errors.New("locked")
}

// Where a guest hangs, the hint fits what has become of the command: one that was undone
// does not lead to the end of a host that others use, and none has a name to fill in.
func TestWhatHelpsWhereAGuestHangs(t *testing.T) {
	quiet := func(string) {}
	h := contestedHost(agent.HostRunning, agent.BillingCompute)
	row := Row{Agent: agent.Record{ID: agent.NewID(), Name: "a"}, Host: h}
	second := CreateOptions{Name: "second", Type: "command"}
	for name, c := range map[string]struct {
		op   string
		act  func(context.Context, *Fleet, Instance, Guest) error
		want string
	}{
		"create, undone": {ctl.OpAgentCreate, func(ctx context.Context, f *Fleet, i Instance, _ Guest) error {
			_, err := f.createOn(ctx, i, h, second, nil, quiet)
			return err
		}, againAll},
		"create, its tags stay": {ctl.OpAgentCreate, func(ctx context.Context, f *Fleet, i Instance, _ Guest) error {
			_, err := f.createOn(ctx, Instance{Machines: keepsTags{i.Machines}}, h, second, nil, quiet)
			return err
		}, "mngr destroy --force agent-ID # removes it"},
		"create, begun before": {ctl.OpAgentCreate, func(ctx context.Context, f *Fleet, i Instance, _ Guest) error {
			_, err := f.createOn(ctx, i, h, second, &row, quiet)
			return err
		}, "mngr destroy --force second@h # removes what there is of it; the same mngr create again goes on"},
		"create, begun before and not known": {ctl.OpStatus, func(ctx context.Context, f *Fleet, i Instance, _ Guest) error {
			_, err := f.createOn(ctx, i, h, second, &row, quiet)
			return err
		}, "mngr list # shows its state; mngr stop --stop-host @h stops it without SSH"},
		"create of a host, undone": {ctl.OpAgentCreate, func(ctx context.Context, f *Fleet, _ Instance, g Guest) error {
			_, err := f.startNew(ctx, g, h, row.Agent, second, "", quiet)
			return f.undo(ctx, stuck{}, h, second, err, quiet)
		}, againAll},
		"finish of a host": {ctl.OpAgentCreate, func(ctx context.Context, f *Fleet, _ Instance, g Guest) error {
			_, err := f.startNew(ctx, g, h, row.Agent, second, "", quiet)
			return runsOn(h, err)
		}, "mngr stop @h"},
		"start": {ctl.OpAgentStart, func(ctx context.Context, f *Fleet, i Instance, _ Guest) error {
			return f.startAgents(ctx, i, &Started{Host: h}, []Row{row}, quiet)
		}, "mngr start a # again; mngr stop --stop-host a ends the bill without SSH"},
		"stop": {ctl.OpAgentStop, func(ctx context.Context, f *Fleet, i Instance, g Guest) error {
			_, err := f.stopAlone(ctx, i, h, g, []Row{row}, quiet)
			return err
		}, "mngr stop a # again; mngr stop --stop-host a ends its host without SSH"},
		"destroy": {ctl.OpAgentRemove, func(ctx context.Context, f *Fleet, _ Instance, _ Guest) error {
			return f.DestroyAgent(ctx, row, quiet)
		}, "mngr destroy a@h # again; mngr stop --stop-host @h ends its host without SSH"},
		"connect": {ctl.OpStatus, func(ctx context.Context, f *Fleet, _ Instance, g Guest) error {
			return f.attachable(ctx, g, row)
		}, "mngr list # shows its state; mngr stop --stop-host @h stops it without SSH"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &hung{op: c.op}
				inst := Instance{Machines: &contested{now: h}}
				f := &Fleet{Now: time.Now, Guests: g, Spots: noSpots{}, Pending: locks{}, Instances: []Instance{inst}}
				err := c.act(t.Context(), f, inst, g)
				if err == nil || !strings.Contains(err.Error(), "not done within 2m") {
					t.Errorf("got %v", err)
				}
				if hint := anyID.ReplaceAllString(agent.HintOf(err), "agent-ID"); hint != c.want {
					t.Errorf("hint\n%q, want\n%q", hint, c.want)
				}
				if undone := name == "create, undone" || name == "create, its tags stay"; undone != (len(g.removed) == 1) {
					t.Errorf("removed %v", g.removed)
				}
			})
		})
	}
}
