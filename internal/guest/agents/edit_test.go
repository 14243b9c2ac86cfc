package agents

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// A renamed agent goes on: same process, its session under the new name, and all of it
// so after a restart of the container.
func TestEditWhileItRuns(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("old", "exec sleep 1000")
	pid := h.create(spec).PID
	other := h.create(lineSpec("other", "exec sleep 1000"))

	labels := map[string]string{"team": "x"}
	st, err := h.Edit(t.Context(), ctl.AgentEdit{ID: spec.ID, Name: "new", Labels: labels})
	must(t, err)
	if st.Name != "new" || st.PID != pid || st.State != string(agent.Running) || !cmp.Equal(st.Labels, labels) {
		t.Errorf("edited: %+v", st)
	}
	if pane, err := h.pane(t.Context(), "old"); pane != nil || err != nil {
		t.Errorf("the old session: %+v, %v", pane, err)
	}
	for _, bad := range []ctl.AgentEdit{
		{ID: spec.ID, Name: "other"}, {ID: spec.ID, Name: "a b"}, {ID: "agent-x", Name: "a"},
		{ID: spec.ID, Name: "new", Labels: map[string]string{"": "x"}}, {ID: string(agent.NewID()), Name: "a"},
	} {
		if _, err := h.Edit(t.Context(), bad); code(err) == "" {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if o := h.observe("other"); o == nil || o.PID != other.PID {
		t.Errorf("the other agent: %+v", o)
	}
	h.reopen()
	if o := h.observe("new"); o == nil || o.PID != pid || o.State != string(agent.Running) || !cmp.Equal(o.Labels, labels) {
		t.Errorf("after a restart: %+v", o)
	}
	if _, err := h.Stop(t.Context(), ctl.AgentRef{Name: "new"}); err != nil {
		t.Fatal(err)
	}
	h.awaitState("new", agent.Stopped)
}

func TestEditWhileItIsStopped(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("old", "exec sleep 1000")
	spec.Start, spec.Labels = false, map[string]string{"a": "1"}
	h.create(spec)
	st, err := h.Edit(t.Context(), ctl.AgentEdit{ID: spec.ID, Name: "new"})
	must(t, err)
	if st.Name != "new" || st.State != string(agent.Stopped) || len(st.Labels) != 0 {
		t.Errorf("edited: %+v", st)
	}
	if st, err = h.Start(t.Context(), ctl.AgentRef{Name: "new"}); err != nil || st.State != string(agent.Running) {
		t.Errorf("started: %+v, %v", st, err)
	}
}
