package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mngr/internal/azlocal/machine"
)

// stopGrace is how long a machine may take to shut down before it is switched off.
const stopGrace = time.Minute

var errNoMachine = errors.New("there is no such machine")

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
	life, err := g.locked(func() (*life, error) {
		status, err := d.look(ctx, spec.Key)
		if err != nil {
			return nil, err
		}
		g.spec, g.rules = spec, rules
		if status.Booted {
			g.enliven(status)
			return g.life, d.resume(ctx, g, status)
		}
		g.life = newLife()
		if err := d.hypervisor.Make(ctx, spec, image); err != nil {
			return nil, fmt.Errorf("make %s: %w", spec.Name, err)
		}
		return g.life, d.boot(ctx, g)
	})
	if err != nil {
		return err
	}
	return life.await(ctx)
}

// Start boots a machine on its old disk.
func (d *Driver) Start(ctx context.Context, spec machine.Spec, rules []machine.Rule) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	g := d.guest(spec.Key)
	life, err := g.locked(func() (*life, error) {
		status, err := d.look(ctx, spec.Key)
		if err != nil {
			return nil, err
		}
		if !status.Exists {
			return nil, fmt.Errorf("start %s: %w", spec.Name, errNoMachine)
		}
		g.spec, g.rules = spec, rules
		g.enliven(status)
		return g.life, d.resume(ctx, g, status)
	})
	if err != nil {
		return err
	}
	return life.await(ctx)
}

// resume leads a machine that has its disk to running; one that runs is only connected. A
// machine that ran before this process did counts as booted.
func (d *Driver) resume(ctx context.Context, g *guest, status Status) error {
	switch {
	case !status.Running:
		return d.boot(ctx, g)
	case g.router == nil:
		g.life.reported()
		g.off.Store(false)
		return d.connect(ctx, g, true)
	default:
		return d.applyRules(ctx, g)
	}
}

// Stop ends a machine and keeps its disk. Its public address falls silent.
func (d *Driver) Stop(ctx context.Context, key string, force bool) error {
	grace := stopGrace
	if force {
		grace = 0
	}
	g := d.guest(key)
	_, err := g.locked(func() (*life, error) {
		if err := d.halt(ctx, g, grace); err != nil {
			return nil, err
		}
		err := d.hide(ctx, g)
		g.hangUp()
		return nil, err
	})
	return err
}

// halt returns when the machine has ended; one that does not run, or does not exist, is
// fine.
func (d *Driver) halt(ctx context.Context, g *guest, grace time.Duration) error {
	g.off.Store(true)
	if err := d.hypervisor.Halt(ctx, g.key, grace); err != nil {
		return fmt.Errorf("stop machine %s: %w", g.key, err)
	}
	g.life.end()
	return nil
}

// Restart shuts a machine down and boots it.
func (d *Driver) Restart(ctx context.Context, key string) error {
	g := d.guest(key)
	life, err := g.locked(func() (*life, error) {
		if g.life == nil {
			return nil, fmt.Errorf("restart machine %s: %w", key, errNoMachine)
		}
		if err := d.halt(ctx, g, stopGrace); err != nil {
			return nil, err
		}
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
	_, err := g.locked(func() (*life, error) {
		g.off.Store(true)
		g.life.end()
		hidden := d.hide(ctx, g)
		removed := d.hypervisor.Remove(ctx, key)
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
	_, err := g.locked(func() (*life, error) {
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
	if _, err := d.plug(ctx, g, true); err != nil {
		return err
	}
	return d.expose(ctx, g)
}

// State looks at a machine. One that is about to come up again after a reboot of its own
// runs.
func (d *Driver) State(ctx context.Context, key string) (machine.State, error) {
	status, err := d.look(ctx, key)
	switch {
	case err != nil:
		return "", err
	case !status.Booted:
		return machine.Absent, nil
	case status.Running, status.Rebooting && !d.guest(key).off.Load():
		return machine.Running, nil
	default:
		return machine.Off, nil
	}
}
