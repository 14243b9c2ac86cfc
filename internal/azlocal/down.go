package azlocal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/control"
	"mngr/internal/azlocal/instance"
)

// maxStop is how long `down` waits for machines to stop.
const maxStop = 4 * time.Minute

func newDown() *cobra.Command {
	return &cobra.Command{
		Use: "down", Args: cobra.NoArgs,
		Short: "Stop the local Azure and its machines; state and disks stay",
		RunE: func(cmd *cobra.Command, _ []string) error {
			inst, err := load()
			if errors.Is(err, instance.ErrNone) {
				fmt.Fprintln(cmd.ErrOrStderr(), "the local Azure is not running")
				return nil
			}
			if err != nil {
				return err
			}
			was, err := stopDaemon(cmd.Context(), inst, false)
			if err != nil {
				return err
			}
			if was {
				fmt.Fprintln(cmd.ErrOrStderr(), "local Azure is down; `mngr azure local up` brings back what ran")
			} else {
				fmt.Fprintln(cmd.ErrOrStderr(), "the local Azure is not running")
			}
			return nil
		},
	}
}

func newReset(opt Options) *cobra.Command {
	return &cobra.Command{
		Use: "reset", Args: cobra.NoArgs,
		Short: "Remove the local Azure with everything in it",
		RunE: func(cmd *cobra.Command, _ []string) error {
			inst, err := load()
			if errors.Is(err, instance.ErrNone) {
				fmt.Fprintln(cmd.ErrOrStderr(), "there is no local Azure to remove")
				return nil
			}
			if err != nil {
				return err
			}
			was, err := stopDaemon(cmd.Context(), inst, true)
			if err != nil {
				return err
			}
			if !was {
				if err := sweep(cmd.Context(), opt, inst); err != nil {
					return err
				}
			}
			if err := os.RemoveAll(inst.Dir); err != nil {
				return fmt.Errorf("remove the state directory: %w", err)
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "local Azure is removed")
			return nil
		},
	}
}

// stopDaemon ends the daemon and waits until it is gone; was is false when none ran.
func stopDaemon(ctx context.Context, inst *instance.Instance, all bool) (was bool, err error) {
	pid := runningPID(inst.Path("pid"))
	if pid == 0 {
		return false, nil
	}
	if err := control.Call(ctx, inst.Dir, "POST", "/stop", stopRequest{All: all}, nil); err != nil {
		return true, &Problem{Cause: fmt.Sprintf("the daemon (pid %d) does not answer: %v", pid, err), Remedy: fmt.Sprintf("end it with `kill %d`", pid), Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, maxStop)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for runningPID(inst.Path("pid")) != 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return true, &Problem{Cause: fmt.Sprintf("the daemon (pid %d) does not end", pid), Remedy: "see " + inst.Path("daemon.log"), Err: ctx.Err()}
		}
	}
	return true, nil
}
