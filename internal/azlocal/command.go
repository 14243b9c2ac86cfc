package azlocal

import (
	"errors"
	"log/slog"
	"net/netip"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/none"
)

// DriverConfig is what a driver must know of the instance.
type DriverConfig struct {
	Dir    string       // state directory
	ID     string       // 8 hexadecimal digits
	Public netip.Prefix // the instance's public IP addresses: a part of 127.0.0.0/8
	Log    *slog.Logger
}

// Problem is an error with the remedy on a line of its own.
type Problem struct {
	Cause  string
	Remedy string
	Err    error
	Misuse bool // the command line makes no sense
}

// Error returns cause and remedy.
func (p *Problem) Error() string {
	if p.Remedy == "" {
		return p.Cause
	}
	return p.Cause + "\n" + p.Remedy
}

// Hint returns the remedy alone.
func (p *Problem) Hint() string { return p.Remedy }

// Usage tells whether the command line is what is wrong.
func (p *Problem) Usage() bool { return p.Misuse }

// Unwrap returns what lies beneath.
func (p *Problem) Unwrap() error { return p.Err }

// Command is the command `local` with everything below it.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "local",
		Short: "Run Azure on this machine",
		Long: `Run Azure on this machine: an ARM and Entra server on loopback whose virtual
machines really boot. Nothing leaves this computer and nothing costs money.

Its state is in $MNGR_AZLOCAL_DIR, else ~/.local/state/mngr/azlocal.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newUp(), newDown(), newStatus(), newEnv(), newReset(), newFault(), newSet(), newEvict(), newMachine(), newLog(), newBill(), newPrincipal(), newServe())
	return cmd
}

// Names of drivers; "auto" leaves the choice to `up`.
const (
	driverDocker = "docker"
	driverQEMU   = "qemu"
	driverNone   = "none"
	driverAuto   = "auto"
)

// newDriver makes the driver that an instance wants.
func newDriver(name string) func(DriverConfig, machine.Services) (machine.Driver, error) {
	if name == driverNone {
		return func(_ DriverConfig, svc machine.Services) (machine.Driver, error) {
			d := none.New()
			d.PoweredOff = svc.PoweredOff
			return d, nil
		}
	}
	return func(cfg DriverConfig, svc machine.Services) (machine.Driver, error) {
		return newBooting(name, cfg, svc)
	}
}

// load finds the instance of this user.
func load() (*instance.Instance, error) {
	dir, err := instance.Dir()
	if err != nil {
		return nil, err
	}
	inst, err := instance.Load(dir)
	return inst, damaged(err)
}

// damaged adds what can be done about a file that cannot be read.
func damaged(err error) error {
	if d, ok := errors.AsType[*instance.Damaged](err); ok {
		return &Problem{Cause: d.Error(), Err: err,
			Remedy: "restore it from a copy, or without one begin anew in another directory (MNGR_AZLOCAL_DIR): what machines left there has the label mngr.azlocal.instance in docker"}
	}
	return err
}
