package azure_test

import (
	"context"
	"os"
	"testing"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"mngr/internal/agent"
	"mngr/internal/azlocal"
	"mngr/internal/azure"
	"mngr/internal/fleet"
)

// TestMain lets this test's binary be the local Azure too: its command starts its own
// program as a daemon.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "local" {
		root := &cobra.Command{Use: "azlocal", SilenceUsage: true}
		root.AddCommand(azlocal.Command())
		if root.Execute() != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

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
