package azlocal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mngr/internal/azlocal/control"
	"mngr/internal/azlocal/instance"
)

// maxStop is how long `down` waits for machines to stop.
const maxStop = 4 * time.Minute

// maxGone is how long a daemon that did not answer may take to be gone: it may have ended
// while it was asked.
const maxGone = 5 * time.Second

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
				fmt.Fprintln(cmd.ErrOrStderr(), "the local Azure is not running; machines of one that was killed stop with `mngr azure local up` and then `down`")
			}
			return nil
		},
	}
}

func newReset() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "reset", Args: cobra.NoArgs,
		Short: "Remove the local Azure with everything in it",
		Long: `Remove the local Azure with everything in it: machines, their disks, networks and the
state directory. On a terminal it asks; without one it wants --force.`,
		Example: "  mngr azure local reset --force",
		RunE: func(cmd *cobra.Command, _ []string) error {
			inst, err := load()
			if errors.Is(err, instance.ErrNone) {
				fmt.Fprintln(cmd.ErrOrStderr(), "there is no local Azure to remove")
				return nil
			}
			if err != nil {
				return err
			}
			if err := mayReset(cmd, inst, force); err != nil {
				return err
			}
			return reset(cmd, inst)
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "do not ask")
	return cmd
}

func mayReset(cmd *cobra.Command, inst *instance.Instance, force bool) error {
	if force {
		return nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return &Problem{Cause: "reset cannot be undone and nobody can be asked; nothing was changed", Remedy: "add --force"}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Everything in %s goes, machines and disks too. Reset? [y/N] ", inst.Dir)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if word := strings.ToLower(strings.TrimSpace(answer)); err != nil || word != "y" && word != "yes" {
		return &Problem{Cause: "nothing was changed"}
	}
	return nil
}

func reset(cmd *cobra.Command, inst *instance.Instance) error {
	was, err := stopDaemon(cmd.Context(), inst, true)
	if err != nil {
		return err
	}
	if !was {
		if err := sweep(cmd.Context(), inst); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(inst.Dir); err != nil {
		return fmt.Errorf("remove the state directory: %w", err)
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "local Azure is removed")
	return nil
}

// stopDaemon ends the daemon and waits until it is gone; was is false when none ran.
func stopDaemon(ctx context.Context, inst *instance.Instance, all bool) (was bool, err error) {
	pid := runningPID(inst.Path("pid"))
	if pid == 0 {
		return false, nil
	}
	patience := maxStop
	refused := control.Call(ctx, inst.Dir, "POST", "/stop", stopRequest{All: all}, nil)
	if refused != nil {
		patience = maxGone
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for runningPID(inst.Path("pid")) != 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			if refused != nil {
				return true, &Problem{Cause: fmt.Sprintf("the daemon (pid %d) does not answer: %v", pid, refused), Remedy: fmt.Sprintf("kill %d # ends it", pid), Err: refused}
			}
			return true, &Problem{Cause: fmt.Sprintf("the daemon (pid %d) does not end", pid), Remedy: "see " + inst.Path("daemon.log"), Err: ctx.Err()}
		}
	}
	return refused == nil, nil // one that ended while it was asked may have left things undone
}
