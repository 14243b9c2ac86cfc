package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/lifecycle"
	"mngr/internal/azlocal/machine/netns"
	"mngr/internal/azlocal/machine/seed"
)

// exitReboot is the code of a container whose guest reboots: the kernel kills the first
// process of a PID namespace with SIGHUP for a reboot and with SIGINT for a halt (reboot(2)).
const exitReboot = 129

// Look inspects the machine's container.
func (e *engine) Look(ctx context.Context, key string) (lifecycle.Status, error) {
	c, err := inspect(ctx, e.object(roleMachine, key))
	if err != nil || c == nil {
		return lifecycle.Status{}, err
	}
	return lifecycle.Status{Exists: true, Booted: c.started(), Running: c.State.Running,
		Rebooting: !c.State.Running && c.State.ExitCode == exitReboot}, nil
}

// Make makes holder, disk and machine without starting the machine.
func (e *engine) Make(ctx context.Context, spec machine.Spec, image string) error {
	if err := e.Remove(ctx, spec.Key); err != nil {
		return err
	}
	data, err := seed.Tar(spec)
	if err != nil {
		return err
	}
	holder, name := e.object(roleHolder, spec.Key), e.object(roleMachine, spec.Key)
	volume := append([]string{"volume", "create"}, e.labels(roleMachine, spec.Key)...)
	steps := [][]string{
		append(volume, name),
		append(e.holderArgs(spec, holder), image, "sleep", "infinity"),
		append(e.machineArgs(spec, holder, name), image),
	}
	for _, step := range steps {
		if _, err := hostcmd.Run(ctx, "docker", step...); err != nil {
			return err
		}
	}
	_, err = hostcmd.Feed(ctx, bytes.NewReader(data), "docker", "cp", "-", name+":/")
	return err
}

// holderArgs also decide host name, resolver and hosts file: a container that joins the
// network of another shares these.
func (e *engine) holderArgs(spec machine.Spec, name string) []string {
	args := append([]string{"create", "--name", name, "--network", "none", "--stop-signal", "KILL",
		"--dns", fabric.WireServer().String()}, e.labels(roleHolder, spec.Key)...)
	if spec.ComputerName != "" {
		args = append(args, "--hostname", spec.ComputerName, "--add-host", spec.ComputerName+":127.0.1.1")
	}
	return args
}

// machineArgs give systemd and a nested engine what they need and no more: not
// --privileged, which would open the host's disks and fails without CAP_SYS_RESOURCE.
func (e *engine) machineArgs(spec machine.Spec, holder, name string) []string {
	args := append([]string{"create", "--name", name, "--network", "container:" + holder,
		"--stop-signal", "SIGRTMIN+3", "--env", "container=docker",
		"--cgroupns", "private", "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE",
		"--cap-drop", "SYS_MODULE", "--cap-drop", "SYS_RAWIO", "--cap-drop", "SYS_TIME",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
		"--security-opt", "systempaths=unconfined",
		"--tmpfs", "/run:exec,mode=755", "--tmpfs", "/run/lock",
		"--volume", name + ":/var/lib/docker"}, e.labels(roleMachine, spec.Key)...)
	if spec.Cores > 0 {
		args = append(args, "--cpus", strconv.Itoa(min(spec.Cores, runtime.NumCPU())))
	}
	if spec.MemoryMB > 0 {
		args = append(args, "--memory", strconv.Itoa(spec.MemoryMB)+"m")
	}
	return args
}

// Namespace is the holder's, which is restarted for a new one.
func (e *engine) Namespace(ctx context.Context, spec machine.Spec, renew bool) (*netns.Namespace, error) {
	name := e.object(roleHolder, spec.Key)
	if renew {
		if _, err := hostcmd.Run(ctx, "docker", "restart", "--time", "0", name); err != nil {
			return nil, err
		}
	}
	c, err := inspect(ctx, name)
	if err != nil {
		return nil, err
	}
	if c == nil || !c.State.Running {
		return nil, errors.New("its holder ended at once")
	}
	return netns.OfProcess(c.State.Pid)
}

// CableEnd configures the machine's network, since a container has the namespace's.
func (e *engine) CableEnd(port fabric.Port) string { return port.MachineSide() }

// OwnLoopback is false: a container has the namespace's.
func (e *engine) OwnLoopback() bool { return false }

// Boot starts the machine's container.
func (e *engine) Boot(ctx context.Context, spec machine.Spec, _ []netip.AddrPort) error {
	_, err := hostcmd.Run(ctx, "docker", "start", e.object(roleMachine, spec.Key))
	return err
}

// Halt lets the engine send systemd the signal for a shutdown.
func (e *engine) Halt(ctx context.Context, key string, grace time.Duration) error {
	seconds := strconv.Itoa(int(grace / time.Second))
	_, err := hostcmd.Run(ctx, "docker", "stop", "--time", seconds, e.object(roleMachine, key))
	if hostcmd.Says(err, "no such container") {
		return nil
	}
	return err
}

// Kill ends a machine at once.
func (e *engine) Kill(ctx context.Context, key string) error {
	_, err := hostcmd.Run(ctx, "docker", "kill", e.object(roleMachine, key))
	if hostcmd.Says(err, "is not running") {
		return nil
	}
	return err
}

// Exec runs a command through the engine, which needs nothing of the guest. The engine lets
// a command go on that nobody waits for any more: it is ended in the guest.
func (e *engine) Exec(ctx context.Context, key string, argv []string, stdin io.Reader) (machine.Result, error) {
	var stdout, stderr machine.Tail
	name, leash := e.object(roleMachine, key), machine.NewLeash()
	cmd := exec.CommandContext(ctx, "docker", append([]string{"exec", "--interactive", "--env", string(leash), name}, argv...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		leash.Pull(ctx, func(ctx context.Context, argv []string) {
			_, _ = hostcmd.Run(ctx, "docker", append([]string{"exec", name}, argv...)...) // the machine may have gone
		})
		return machine.Result{}, context.Cause(ctx)
	}
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return machine.Result{}, err
	}
	return machine.Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
}

// Remove removes what Make makes.
func (e *engine) Remove(ctx context.Context, key string) error {
	for _, r := range []role{roleMachine, roleHolder} {
		if err := removeContainer(ctx, e.object(r, key)); err != nil {
			return err
		}
	}
	return removeVolume(ctx, e.object(roleMachine, key))
}
