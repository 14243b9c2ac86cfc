// Command mngrd is the part of mngr that runs inside a host: on the virtual machine and
// as process 1 of its container.
package main

import (
	"os"

	"mngr/internal/guest"
)

func main() { os.Exit(guest.Main(os.Args[1:])) }
