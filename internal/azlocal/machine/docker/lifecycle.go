package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/hostcmd"
)

// stopGrace is how long a machine may take to shut down before it is switched off.
const stopGrace = time.Minute

// Exit codes of a container whose guest ended itself: the kernel kills the first process of
// a PID namespace with SIGHUP for a reboot and with SIGINT for a halt (reboot(2)).
const exitReboot = 129

var errNoMachine = errors.New("there is no such machine")

// Start boots a machine on its old disk.
func (d *Driver) Start(ctx context.Context, spec machine.Spec, rules []machine.Rule) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	g := d.guest(spec.Key)
	life, err := d.locked(g, func() (*life, error) {
		c, err := inspect(ctx, d.object(roleMachine, spec.Key))
		if err != nil {
			return nil, err
		}
		if c == nil {
			return nil, fmt.Errorf("start %s: %w", spec.Name, errNoMachine)
		}
		g.spec, g.rules = spec, rules
		g.enliven(c)
		return g.life, d.resume(ctx, g, c)
	})
	if err != nil {
		return err
	}
	return life.await(ctx)
}

// resume leads a machine that has its disk to running; one that runs is only connected. A
// machine that ran before this process did counts as booted.
func (d *Driver) resume(ctx context.Context, g *guest, c *container) error {
	switch {
	case !c.State.Running:
		return d.boot(ctx, g)
	case g.router == nil:
		g.life.reported()
		g.off.Store(false)
		return d.connect(ctx, g, c.State.Pid, true)
	default:
		return d.applyRules(ctx, g)
	}
}

// Stop ends a machine and keeps its disk. Its public address falls silent.
func (d *Driver) Stop(ctx context.Context, key string, force bool) error {
	g := d.guest(key)
	_, err := d.locked(g, func() (*life, error) {
		g.off.Store(true)
		if err := d.halt(ctx, key, force); err != nil {
			return nil, err
		}
		g.life.end()
		err := d.hide(ctx, g)
		g.hangUp()
		return nil, err
	})
	return err
}

// halt returns when the machine has ended; one that does not run, or does not exist, is
// fine.
func (d *Driver) halt(ctx context.Context, key string, force bool) error {
	grace := strconv.Itoa(int(stopGrace / time.Second))
	if force {
		grace = "0"
	}
	name := d.object(roleMachine, key)
	if _, err := hostcmd.Run(ctx, "docker", "stop", "--time", grace, name); err != nil && !hostcmd.Says(err, "no such container") {
		return fmt.Errorf("stop machine %s: %w", key, err)
	}
	return nil
}

// Restart shuts a machine down and boots it.
func (d *Driver) Restart(ctx context.Context, key string) error {
	g := d.guest(key)
	life, err := d.locked(g, func() (*life, error) {
		if g.life == nil {
			return nil, fmt.Errorf("restart machine %s: %w", key, errNoMachine)
		}
		g.off.Store(true)
		if err := d.halt(ctx, key, false); err != nil {
			return nil, err
		}
		g.life.end()
		g.life = newLife()
		return g.life, d.boot(ctx, g)
	})
	if err != nil {
		return err
	}
	return life.await(ctx)
}

// Delete removes a machine with its disk and its place in the network.
func (d *Driver) Delete(ctx context.Context, key string) error {
	g := d.guest(key)
	_, err := d.locked(g, func() (*life, error) {
		g.off.Store(true)
		g.life.end()
		hidden := d.hide(ctx, g)
		removed := d.removeObjects(ctx, key)
		g.hangUp()
		if g.spec.Key != "" {
			removed = errors.Join(removed, d.unplug(ctx, g.spec))
		}
		return nil, errors.Join(hidden, removed)
	})
	if err != nil {
		return fmt.Errorf("delete machine %s: %w", key, err)
	}
	d.mu.Lock()
	delete(d.guests, key)
	d.mu.Unlock()
	return nil
}

// SetRules replaces a machine's security rules for connections made from now on.
func (d *Driver) SetRules(ctx context.Context, key string, rules []machine.Rule) error {
	g := d.guest(key)
	_, err := d.locked(g, func() (*life, error) {
		g.rules = rules
		return nil, d.applyRules(ctx, g)
	})
	return err
}

// applyRules has nothing to do for a machine that is off: boot applies them.
func (d *Driver) applyRules(ctx context.Context, g *guest) error {
	if g.router == nil {
		return nil
	}
	if _, err := d.plug(ctx, g.spec, g.rules, g.inside, true); err != nil {
		return err
	}
	return d.expose(ctx, g)
}

// State looks at the machine's container. A machine that is about to come up again after a
// reboot of its own runs.
func (d *Driver) State(ctx context.Context, key string) (machine.State, error) {
	c, err := inspect(ctx, d.object(roleMachine, key))
	switch {
	case err != nil:
		return "", fmt.Errorf("look at machine %s: %w", key, err)
	case c == nil || !c.started():
		return machine.Absent, nil
	case c.State.Running, c.State.ExitCode == exitReboot && !d.guest(key).off.Load():
		return machine.Running, nil
	default:
		return machine.Off, nil
	}
}
