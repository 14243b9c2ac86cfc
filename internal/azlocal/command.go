package azlocal

import (
	"fmt"
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

// Options are what the command is made of.
type Options struct {
	// NewDocker makes the driver whose machines boot. Its error says in one line what this
	// computer lacks. nil: this build has none.
	NewDocker func(DriverConfig, machine.Services) (machine.Driver, error)
}

// Problem is an error with the remedy on a line of its own.
type Problem struct {
	Cause  string
	Remedy string
	Err    error
}

// Error returns cause and remedy.
func (p *Problem) Error() string {
	if p.Remedy == "" {
		return p.Cause
	}
	return p.Cause + "\n" + p.Remedy
}

// Unwrap returns what lies beneath.
func (p *Problem) Unwrap() error { return p.Err }

// Command is the command `local`: up, down, status, env, reset.
func Command(opt Options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "local",
		Short: "Run Azure on this machine",
		Long: `Run Azure on this machine: an ARM and Entra server on loopback whose virtual
machines really boot. Nothing leaves this computer and nothing costs money.

Its state is in $MNGR_AZLOCAL_DIR, else ~/.local/state/mngr/azlocal.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newUp(opt), newDown(), newStatus(), newEnv(), newReset(opt), newServe(opt))
	return cmd
}

// driver makes the driver that an instance wants.
func (opt Options) driver(name string) func(DriverConfig, machine.Services) (machine.Driver, error) {
	return func(cfg DriverConfig, svc machine.Services) (machine.Driver, error) {
		if name == "none" {
			return none.New(), nil
		}
		if opt.NewDocker == nil {
			return nil, fmt.Errorf("this build has no driver %q", name)
		}
		return opt.NewDocker(cfg, svc)
	}
}

// load finds the instance of this user.
func load() (*instance.Instance, error) {
	dir, err := instance.Dir()
	if err != nil {
		return nil, err
	}
	return instance.Load(dir)
}
