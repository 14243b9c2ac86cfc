package azlocal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/control"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/instance"
)

func newStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Args: cobra.NoArgs,
		Short: "Show whether the local Azure runs, its machines and what would be billed",
		Long: `Show whether the local Azure runs, how to reach it, its machines and what would be billed.

The JSON has the same keys whether it runs or not; docs/azlocal.md lists them.`,
		Example: "  mngr azure local status\n  mngr azure local status --format json",
	}
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		st, err := status(cmd)
		if err != nil {
			return err
		}
		return emit(cmd.OutOrStdout(), *format, st, []Status{st}, st.print)
	}
	return cmd
}

// gone tells whether a daemon that broke off was dying: its socket goes before its lock.
func gone(ctx context.Context, pidFile string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for runningPID(pidFile) != 0 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

// still is the status of an instance that does not run; nil is none.
func still(inst *instance.Instance) (Status, error) {
	st := Status{Switches: map[string]string{}, Settings: []fabric.Setting{}, VMs: []compute.VMStatus{}, Billed: []compute.Charge{}}
	if inst == nil {
		return st, nil
	}
	st.Client, st.StateDir, st.Profile, st.DriverNote = inst.Client(), inst.Dir, inst.Profile, note("", inst.DriverWhy)
	switches, err := fabric.NewSwitches(inst.Switches)
	if err != nil {
		return st, err
	}
	st.Switches = switches.All()
	settings, err := newSettings(inst)
	if err == nil {
		st.Settings = settings.All()
	}
	return st, err
}

func status(cmd *cobra.Command) (Status, error) {
	inst, err := load()
	if errors.Is(err, instance.ErrNone) {
		return still(nil)
	}
	if err != nil {
		return Status{}, err
	}
	pid := runningPID(inst.Path("pid"))
	if pid == 0 {
		return still(inst)
	}
	var st Status
	if err := control.Call(cmd.Context(), inst.Dir, "GET", "/status", nil, &st); err != nil {
		if gone(cmd.Context(), inst.Path("pid")) {
			return still(inst)
		}
		return st, &Problem{Cause: fmt.Sprintf("the daemon (pid %d) does not answer: %v", pid, err), Remedy: "see " + inst.Path("daemon.log"), Err: err}
	}
	return st, nil
}

// note puts what there is to tell of a driver into one text.
func note(about, why string) string {
	if why != "" {
		why = "chosen because " + why
	}
	return strings.Trim(about+"; "+why, "; ")
}

// driver is for people: "driver qemu: kvm".
func (st Status) driver() string {
	return strings.TrimSuffix("driver "+st.Driver+": "+st.DriverNote, ": ")
}
