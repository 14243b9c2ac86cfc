package azure_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machines is what cli needs to hand a provider to fleet: Go wants the very type of the
// interface as the result.
type machines struct{ *azure.Provider }

func (m machines) Create(ctx context.Context, spec agent.MachineSpec, progress agent.Progress) (fleet.Creation, error) {
	c, err := m.Provider.Create(ctx, spec, progress)
	if err != nil {
		return nil, err
	}
	return c, nil
}

var _ fleet.Machines = machines{}
