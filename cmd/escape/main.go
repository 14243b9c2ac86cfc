//go:build linux

// Command escape is a tool of the end-to-end tests: it tries to leave a host's container.
package main

import (
	"os"

	"mngr/e2e/escape"
)

func main() { os.Exit(escape.Main(os.Args[1:], os.Stdout, os.Stderr)) }
