// Command azure-check lives one agent's life on Azure, and asks what is not known of it.
// `make azure-check` builds and runs it.
package main

import (
	"os"

	"mngr/internal/azurecheck"
)

func main() { os.Exit(azurecheck.Main(os.Args[1:])) }
