package azlocal

import (
	"context"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/docker"
)

// newDocker makes the driver whose machines boot. Its error says what this computer lacks.
func newDocker(cfg DriverConfig, svc machine.Services) (machine.Driver, error) {
	return docker.New(context.Background(), docker.Config{ID: cfg.ID, Public: cfg.Public, Log: cfg.Log}, svc)
}
