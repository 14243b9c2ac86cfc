package fleet

import (
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
)

// What a create would leave is known from just before it begins to write, and not before:
// until then the name may be that of somebody else's agent.
func TestNothingIsAtStakeBeforeACreateBegins(t *testing.T) {
	for name, c := range map[string]struct {
		host  string // in the tags of Azure; as the host of this name is listed
		state agent.HostState
		want  bool
	}{
		"the host is down":         {"h", agent.HostStopped, false},
		"the tags are written":     {"h", agent.HostRunning, true},
		"the host is another name": {"other", agent.HostRunning, false},
	} {
		h := contestedHost(c.state, agent.BillingCompute)
		azure := &contested{now: h}
		var told []AtStake
		inst := Instance{Machines: azure}
		f := &Fleet{Now: time.Now, Guests: &inside{}, Spots: keptSpots{}, Pending: keptLocks{}, Instances: []Instance{inst}}
		_, err := f.Create(t.Context(), CreateOptions{Name: "second", Host: c.host, Provider: "p", Type: "command",
			AtStake: func(s *AtStake) {
				if len(azure.wrote) > 0 {
					t.Errorf("%s: written already: %v", name, azure.wrote)
				}
				told = append(told, *s)
			}}, func(string) {})
		if (err == nil) != c.want || (len(told) == 1) != c.want {
			t.Errorf("%s: %+v, %v", name, told, err)
		}
		if wrote := strings.Join(azure.wrote, " "); c.want && (told[0].Agent == "" || !strings.Contains(wrote, strings.TrimPrefix(string(told[0].Agent), "agent-"))) {
			t.Errorf("%s: at stake %+v, wrote %s", name, told[0], wrote)
		}
	}
}
