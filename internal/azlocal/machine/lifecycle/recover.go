package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"mngr/internal/azlocal/machine"
)

// Recover connects the machines that run, boots those that were in the middle of a reboot,
// leaves those that are off, and removes the instance's other objects. A machine that
// ended while nobody watched is not reported: State tells.
func (d *Driver) Recover(ctx context.Context, known []machine.Spec, rules map[string][]machine.Rule) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	var failed []error
	keep := map[string]bool{}
	for _, spec := range known {
		keep[spec.Key], keep[networkKey(spec)] = true, true
		if err := d.recoverGuest(ctx, spec, rules[spec.Key]); err != nil {
			failed = append(failed, fmt.Errorf("recover %s: %w", spec.Name, err))
		}
	}
	return errors.Join(append(failed, d.hypervisor.RemoveOthers(ctx, keep))...)
}

func (d *Driver) recoverGuest(ctx context.Context, spec machine.Spec, rules []machine.Rule) error {
	g := d.guest(spec.Key)
	_, err := g.locked(func() (*life, error) {
		status, err := d.look(ctx, spec.Key)
		if err != nil || !status.Exists {
			return nil, err
		}
		g.spec, g.rules, g.life = spec, rules, newLife()
		if status.Running || status.Rebooting {
			return nil, d.resume(ctx, g, status)
		}
		g.off.Store(true)
		return nil, nil
	})
	return err
}

// ended follows up a machine that ended without the driver: a reboot brings it up again,
// anything else is reported. Word of it may be late: what counts is what is so now.
func (d *Driver) ended(ctx context.Context, key string) {
	d.mu.Lock()
	g := d.guests[key]
	d.mu.Unlock()
	if g == nil {
		return
	}
	gone := false
	_, err := g.locked(func() (*life, error) {
		if g.off.Load() {
			return nil, nil
		}
		status, err := d.look(ctx, key)
		if err != nil || status.Running {
			return nil, err
		}
		if status.Rebooting {
			d.log.Info("machine reboots", "key", key)
			return nil, d.boot(ctx, g)
		}
		gone = true
		g.off.Store(true)
		g.life.end()
		err = d.hide(ctx, g)
		g.hangUp()
		return nil, err
	})
	if err != nil && ctx.Err() == nil {
		d.log.Error("follow up a machine that ended", "key", key, "err", err)
	}
	if gone {
		d.log.Info("machine switched itself off", "key", key)
		d.services.PoweredOff(key)
	}
}
