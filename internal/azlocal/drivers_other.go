//go:build !linux

package azlocal

import (
	"context"
	"runtime"

	"mngr/internal/azlocal/machine"
)

func newBooting(string, DriverConfig, machine.Services) (machine.Driver, error) {
	_, _, err := chooseDriver(context.Background())
	return nil, err
}

func chooseDriver(context.Context) (name, why string, err error) {
	return "", "", &Problem{Cause: "machines boot on Linux only, not on " + runtime.GOOS, Remedy: "mngr azure local up --driver none"}
}
