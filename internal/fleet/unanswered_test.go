package fleet

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
)

// begunLocks has what one create that was killed has left.
type begunLocks struct {
	keptLocks
	id       agent.HostID
	age      time.Duration
	accepted bool
}

func (b begunLocks) Known() ([]agent.HostID, error) { return []agent.HostID{b.id}, nil }
func (b begunLocks) Load(agent.HostID) ([]byte, error) {
	return json.Marshal(begunCreate{CreateOptions{Name: "a", Host: "h", Provider: "p"}, b.accepted})
}
func (b begunLocks) Saved(agent.HostID) (time.Time, error) { return gcNow.Add(-b.age), nil }

// What Azure was asked for a moment ago may still come: nobody is told that it is gone, and
// what is known of it stays.
func TestWhatMayStillCome(t *testing.T) {
	const id = agent.HostID("host-00000000000000000000000000000001")
	young, old := 6*time.Minute+59*time.Second, 7*time.Minute
	for _, c := range []struct {
		name     string
		age      time.Duration
		accepted bool
		there    bool
		unsure   bool
	}{
		{"a", young, false, false, true},
		{"a@h", young, false, false, true},
		{"a@h.p", young, false, false, true},
		{"@h", young, false, false, true},
		{"@" + string(id), young, false, false, true},
		{string(id), young, false, false, true},
		{"a", old, false, false, false},
		{"@h", old, false, false, false},
		{"b", young, false, false, false},
		{"a@other", young, false, false, false},
		{"a@h.q", young, false, false, false},
		{"@other", young, false, false, false},
		{"a", young, false, true, false}, // it has come, and has lost its agent
		{"a", young, true, false, false}, // it had come, and is gone
		{"@h", young, true, false, false},
	} {
		p := shown{name: "p"}
		if c.there {
			h := host("h", agent.HostRunning)
			h.ID = id
			p.hosts = []agent.Host{h}
		}
		f := collecting(p)
		f.Pending = begunLocks{id: id, age: c.age, accepted: c.accepted}
		got, err := f.FindTargets(t.Context(), []string{c.name}, true)
		if err != nil || (len(got.Unsure) == 1) != c.unsure || len(got.Unsure)+len(got.Missing) != 1 {
			t.Errorf("%s after %s: %+v, %v", c.name, c.age, got, err)
		}
		_, err = f.FindTargets(t.Context(), []string{c.name}, false)
		want := agent.KindNotFound
		if c.unsure {
			want = agent.KindRemains
		}
		if agent.KindOf(err) != want || c.unsure && !strings.Contains(agent.HintOf(err), "mngr destroy --force @"+string(id)) {
			t.Errorf("%s after %s: %v, hint %q", c.name, c.age, err, agent.HintOf(err))
		}
		_, goes := verdicts(t, f, GCOptions{})[string(id)]
		if want := c.age == old || c.accepted; goes != want && !c.there {
			t.Errorf("after %s it goes: %t, want %t", c.age, goes, want)
		}
	}
}
