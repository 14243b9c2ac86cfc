// Command mngr runs coding agents on the user's own Azure virtual machines.
package main

import (
	"os"

	"mngr/internal/azlocal"
	"mngr/internal/cli"
)

func main() { os.Exit(cli.Main(azlocal.Command())) }
