package cli

import (
	"testing"

	"mngr/internal/agent"
	"mngr/internal/fleet"
)

// Who cannot read what a start has done is told what bills, and of no agent that runs when it
// has ended.
func TestWordsOfAStart(t *testing.T) {
	h := agent.Host{Name: "h"}
	ended := []fleet.EndedAgent{{Name: "a", ExitCode: new(3)}}
	for _, c := range []struct {
		result fleet.Started
		want   string
		bills  bool
	}{
		{fleet.Started{Host: h}, "nothing was started", false},
		{fleet.Started{Host: h, Booted: true}, "host h runs, and bills", true}, // nobody can enter it from here
		{fleet.Started{Host: h, Accepted: true}, "Azure is starting h, which bills", true},
		{fleet.Started{Host: h, Agents: []string{"a", "b"}}, "a, b: running; host h runs, and bills", true},
		{fleet.Started{Host: h, Agents: []string{"a", "b"}, Ended: ended}, "b: running; a: started, and ended already with code 3; host h runs, and bills", true},
	} {
		if got, bills := startedWords([]fleet.Started{c.result}); got != c.want || bills != c.bills {
			t.Errorf("%+v: %q, %t; want %q", c.result, got, bills, c.want)
		}
	}
}
