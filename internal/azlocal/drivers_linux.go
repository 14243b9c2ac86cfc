package azlocal

import (
	"context"
	"fmt"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/docker"
	"mngr/internal/azlocal/machine/lifecycle"
	"mngr/internal/azlocal/machine/qemu"
)

// newBooting makes a driver whose machines boot. Its error says what this computer lacks.
func newBooting(name string, cfg DriverConfig, svc machine.Services) (machine.Driver, error) {
	config := lifecycle.Config{ID: cfg.ID, Public: cfg.Public, Dir: cfg.Dir, Log: cfg.Log}
	if name == driverQEMU {
		return qemu.New(context.Background(), config, svc)
	}
	return docker.New(context.Background(), config, svc)
}

// chooseDriver prefers containers, which boot faster, and tells why.
func chooseDriver(ctx context.Context) (name, why string, err error) {
	return choose(docker.Check(ctx), qemu.Check)
}

// choose looks at QEMU only where no Docker engine answers.
func choose(noDocker error, checkQEMU func() error) (name, why string, err error) {
	if noDocker == nil {
		return driverDocker, "a Docker engine answers", nil
	}
	noQEMU := checkQEMU()
	if noQEMU == nil {
		return driverQEMU, "no Docker engine answers, QEMU is installed", nil
	}
	return "", "", &Problem{
		Cause:  fmt.Sprintf("no machine can boot here: driver docker: %v; driver qemu: %v", noDocker, noQEMU),
		Remedy: "mngr azure local up --driver none # does without machines that boot; or mend one of the two",
	}
}
