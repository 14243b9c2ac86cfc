package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/hostcmd"
)

// Kill ends a machine at once; the watch reports its end.
func (d *Driver) Kill(ctx context.Context, key string) error {
	_, err := hostcmd.Run(ctx, "docker", "kill", d.object(roleMachine, key))
	if hostcmd.Says(err, "is not running") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kill machine %s: %w", key, err)
	}
	return nil
}

// Exec runs a command through the engine, which needs nothing of the guest.
func (d *Driver) Exec(ctx context.Context, key string, argv []string, stdin io.Reader) (machine.Result, error) {
	c, err := inspect(ctx, d.object(roleMachine, key))
	if err != nil {
		return machine.Result{}, fmt.Errorf("look at machine %s: %w", key, err)
	}
	if c == nil || !c.State.Running {
		return machine.Result{}, machine.ErrNoGuest
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", append([]string{"exec", "--interactive", c.ID}, argv...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err = cmd.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return machine.Result{}, fmt.Errorf("run a command in machine %s: %w", key, err)
	}
	if ctx.Err() != nil {
		return machine.Result{}, fmt.Errorf("run a command in machine %s: %w", key, context.Cause(ctx))
	}
	return machine.Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
}
