package azlocal

import (
	"context"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/docker"
	"mngr/internal/azlocal/machine/lifecycle"
)

// newDocker makes the driver whose machines boot. Its error says what this computer lacks.
func newDocker(cfg DriverConfig, svc machine.Services) (machine.Driver, error) {
	return docker.New(context.Background(), lifecycle.Config{ID: cfg.ID, Public: cfg.Public, Dir: cfg.Dir, Log: cfg.Log}, svc)
}
