package records

import (
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mngr/internal/agent"
)

// A run survives its tags, and what nobody has written so is not known.
func TestRunTags(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)
	want := agent.Run{Known: true, Counted: 3601500 * time.Millisecond, Since: at}
	h := agent.Host{Tags: EncodeRun(want)}
	if DecodeHost(&h); h.Run != want {
		t.Errorf("%+v, want %+v", h.Run, want)
	}
	h.Tags[StoppedBy] = StoppedByUser
	if DecodeHost(&h); !h.Run.Closed {
		t.Error("a user's stop does not close it")
	}
	for name, tags := range map[string]map[string]string{
		"none":      nil,
		"one":       {RunSeconds: "5"},
		"the other": {StartedAt: "2026-05-06T07:08:09Z"},
		"negative":  {RunSeconds: "-1", StartedAt: "2026-05-06T07:08:09Z"},
		"no number": {RunSeconds: "NaN", StartedAt: "2026-05-06T07:08:09Z"},
		"endless":   {RunSeconds: "+Inf", StartedAt: "2026-05-06T07:08:09Z"},
		"centuries": {RunSeconds: "1e12", StartedAt: "2026-05-06T07:08:09Z"},
		"no time":   {RunSeconds: "5", StartedAt: "yesterday"},
	} {
		h := agent.Host{Tags: tags, Billing: agent.BillingCompute}
		DecodeHost(&h)
		if _, known := h.Ran(at); known || h.Run.Known || EncodeRun(h.Settled(at)) != nil {
			t.Errorf("%s: known as %+v", name, h.Run)
		}
	}
}

// machine is a host at its cloud, with what its cloud really bills.
type machine struct {
	now, changed time.Time
	billing      agent.Billing
	tags         map[string]string
	truth        time.Duration
}

func (m *machine) host() agent.Host {
	h := agent.Host{Tags: m.tags, Billing: m.billing, ChangedAt: m.changed}
	DecodeHost(&h)
	return h
}

// write is one merge of tags, which is a change of the machine.
func (m *machine) write(set map[string]string, remove ...string) {
	maps.Copy(m.tags, set)
	for _, name := range remove {
		delete(m.tags, name)
	}
	m.changed = m.now
}

func (m *machine) settle() map[string]string { return EncodeRun(m.host().Settled(m.now)) }

func (m *machine) power(b agent.Billing) { m.billing, m.changed = b, m.now }

func (m *machine) pass(d time.Duration) {
	if m.billing == agent.BillingCompute {
		m.truth += d
	}
	m.now = m.now.Add(d)
}

// TestRunIsWhatIsBilled lives random lives, with commands that die between their requests,
// and holds the account against what was billed.
func TestRunIsWhatIsBilled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m := &machine{now: start, changed: start, billing: agent.BillingCompute, tags: EncodeRun(agent.Run{Known: true, Since: start})}
		steps, cut := rapid.IntRange(1, 30).Draw(t, "steps"), false
		for range steps {
			m.pass(time.Duration(rapid.IntRange(0, 100000).Draw(t, "seconds")) * time.Second)
			runs := m.billing == agent.BillingCompute
			switch what := rapid.SampledFrom([]string{"stop", "stop, cut", "start", "start, cut", "start in vain", "itself", "label", "off"}).Draw(t, "what"); {
			case what == "stop" && runs, what == "stop, cut" && runs:
				set := m.settle()
				set[StoppedBy] = StoppedByUser
				m.write(set)
				if cut = what != "stop"; !cut {
					m.power(agent.BillingStorage)
				}
			case what == "start" && runs: // takes a stop back that was cut short
				m.write(m.settle(), StoppedBy)
				cut = false
			case what == "start" && !runs, what == "start, cut" && !runs:
				m.write(m.settle(), StoppedBy)
				if what == "start" {
					m.power(agent.BillingCompute)
				}
			case what == "start in vain" && !runs:
				was := m.host()
				m.write(m.settle(), StoppedBy)
				m.power(agent.BillingStorage)
				set := EncodeRun(was.Settled(m.now))
				if was.Run.Closed {
					set[StoppedBy] = StoppedByUser
				}
				m.write(set)
			case what == "itself" && runs && !cut: // after a stop that was cut short nobody can tell
				m.power(agent.BillingStorage)
			case what == "label":
				m.write(m.settle())
			}
			ran, known := m.host().Ran(m.now)
			if off := ran - m.truth; !known || off.Abs() > time.Duration(steps)*time.Millisecond {
				t.Fatalf("%v (%v), billed were %v: %+v", ran, known, m.truth, m)
			}
		}
	})
}
