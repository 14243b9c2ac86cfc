package fleet

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"mngr/internal/agent"
)

// keepsHosts is a provider that does not let its machine go.
type keepsHosts struct{ atAzure }

func (k *keepsHosts) Destroy(context.Context, agent.Host, agent.Progress) error {
	k.destroyed++
	return errors.New("not now")
}

func (locks) Load(agent.HostID) ([]byte, error) { return nil, fs.ErrNotExist }

// A create makes a failed host anew only where no agent has ever run on it.
func TestResumeSparesWhatAgentsHaveLeft(t *testing.T) {
	for name, c := range map[string]struct {
		keys agent.HostKeys
		want int
	}{
		"never finished":  {agent.HostKeys{VM: "AAAA"}, 1},
		"finished once":   {agent.HostKeys{VM: "AAAA", Container: "AAAA"}, 0},
		"made by another": {agent.HostKeys{}, 0},
	} {
		h := host("a", agent.HostFailed, "a")
		h.Via, h.HostKeys = "p", c.keys
		azure := &keepsHosts{atAzure{now: h}}
		inst := Instance{Machines: azure}
		f := &Fleet{Now: time.Now, Instances: []Instance{inst}, Pending: locks{free: true}}
		_, err := f.resume(t.Context(), inst, h, CreateOptions{Name: "a"}, func(string) {})
		if azure.destroyed != c.want || err == nil || (agent.KindOf(err) == agent.KindConflict) != (c.want == 0) {
			t.Errorf("%s: destroyed %d times, %v", name, azure.destroyed, err)
		}
	}
}
