// Command azlocal is the local Azure alone, for work on it and for tests that need
// nothing else of mngr.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal"
)

func main() {
	root := &cobra.Command{Use: "azlocal", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(azlocal.Command(azlocal.Options{}))
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
