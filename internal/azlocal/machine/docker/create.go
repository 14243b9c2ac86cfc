package docker

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strconv"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/hostcmd"
)

// Create makes a machine and boots it. A machine of that key that has booted before is
// started as it is; anything less is made anew.
func (d *Driver) Create(ctx context.Context, spec machine.Spec, rules []machine.Rule) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	image, err := d.image(ctx, spec.Image)
	if err != nil {
		return fmt.Errorf("make the image of %s: %w", spec.Name, err)
	}
	g := d.guest(spec.Key)
	life, err := d.locked(g, func() (*life, error) {
		c, err := inspect(ctx, d.object(roleMachine, spec.Key))
		if err != nil {
			return nil, err
		}
		g.spec, g.rules = spec, rules
		if c != nil && c.started() {
			g.enliven(c)
			return g.life, d.resume(ctx, g, c)
		}
		g.life = newLife()
		if err := d.build(ctx, spec, image); err != nil {
			return nil, err
		}
		return g.life, d.boot(ctx, g)
	})
	if err != nil {
		return err
	}
	return life.await(ctx)
}

// locked runs f as the machine's only operation.
func (d *Driver) locked(g *guest, f func() (*life, error)) (*life, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f()
}

// build makes holder, disk and machine without starting the machine.
func (d *Driver) build(ctx context.Context, spec machine.Spec, image string) error {
	if err := d.removeObjects(ctx, spec.Key); err != nil {
		return fmt.Errorf("clear the way for %s: %w", spec.Name, err)
	}
	data, err := seed(spec)
	if err != nil {
		return err
	}
	holder, machineName := d.object(roleHolder, spec.Key), d.object(roleMachine, spec.Key)
	volume := append([]string{"volume", "create"}, d.labels(roleMachine, spec.Key)...)
	steps := [][]string{
		append(volume, machineName),
		append(d.holderArgs(spec, holder), image, "sleep", "infinity"),
		append(d.machineArgs(spec, holder, machineName), image),
	}
	for _, step := range steps {
		if _, err := hostcmd.Run(ctx, "docker", step...); err != nil {
			return fmt.Errorf("make %s: %w", spec.Name, err)
		}
	}
	if _, err := hostcmd.Feed(ctx, bytes.NewReader(data), "docker", "cp", "-", machineName+":/"); err != nil {
		return fmt.Errorf("hand %s its first settings: %w", spec.Name, err)
	}
	return nil
}

// holderArgs also decide host name, resolver and hosts file: a container that joins the
// network of another shares these.
func (d *Driver) holderArgs(spec machine.Spec, name string) []string {
	args := append([]string{"create", "--name", name, "--network", "none", "--stop-signal", "KILL",
		"--dns", fabric.WireServer().String()}, d.labels(roleHolder, spec.Key)...)
	if spec.ComputerName != "" {
		args = append(args, "--hostname", spec.ComputerName, "--add-host", spec.ComputerName+":127.0.1.1")
	}
	return args
}

// machineArgs give systemd and a nested engine what they need and no more: not
// --privileged, which would open the host's disks and fails without CAP_SYS_RESOURCE.
func (d *Driver) machineArgs(spec machine.Spec, holder, name string) []string {
	args := append([]string{"create", "--name", name, "--network", "container:" + holder,
		"--stop-signal", "SIGRTMIN+3", "--env", "container=docker",
		"--cgroupns", "private", "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE",
		"--cap-drop", "SYS_MODULE", "--cap-drop", "SYS_RAWIO", "--cap-drop", "SYS_TIME",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
		"--security-opt", "systempaths=unconfined",
		"--tmpfs", "/run:exec,mode=755", "--tmpfs", "/run/lock",
		"--volume", name + ":/var/lib/docker"}, d.labels(roleMachine, spec.Key)...)
	if spec.Cores > 0 {
		args = append(args, "--cpus", strconv.Itoa(min(spec.Cores, runtime.NumCPU())))
	}
	if spec.MemoryMB > 0 {
		args = append(args, "--memory", strconv.Itoa(spec.MemoryMB)+"m")
	}
	return args
}

// removeObjects removes what build makes; absent is fine.
func (d *Driver) removeObjects(ctx context.Context, key string) error {
	for _, r := range []role{roleMachine, roleHolder} {
		if err := removeContainer(ctx, d.object(r, key)); err != nil {
			return err
		}
	}
	return removeVolume(ctx, d.object(roleMachine, key))
}
