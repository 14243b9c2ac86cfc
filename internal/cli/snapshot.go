package cli

import (
	"github.com/spf13/cobra"

	"mngr/internal/agent"
)

// newSnapshot answers whoever knows the command from elsewhere.
func newSnapshot() *cobra.Command {
	return &cobra.Command{
		Use:                "snapshot",
		Aliases:            []string{"snap"},
		Short:              "Not supported by azure",
		Long:               `Snapshots are not supported by azure. The disk of a stopped host stays as it is.`,
		Args:               cobra.ArbitraryArgs,
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(*cobra.Command, []string) error {
			return agent.Errorf(agent.KindRefused, "snapshots are not supported by azure").
				WithHint("mngr stop AGENT # keeps the disk and ends the bill for compute; mngr create makes a new host")
		},
	}
}
