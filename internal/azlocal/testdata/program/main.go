// Command program is the local Azure alone, for its own tests.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal"
)

func main() {
	root := &cobra.Command{Use: "azlocal", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(azlocal.Command())
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
