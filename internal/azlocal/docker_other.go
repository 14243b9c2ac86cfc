//go:build !linux

package azlocal

import (
	"runtime"

	"mngr/internal/azlocal/machine"
)

func newDocker(DriverConfig, machine.Services) (machine.Driver, error) {
	return nil, &Problem{Cause: "machines boot on Linux only, not on " + runtime.GOOS, Remedy: "mngr azure local up --driver none"}
}
