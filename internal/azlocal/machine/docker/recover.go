package docker

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
	return errors.Join(append(failed, d.removeUnknown(ctx, keep))...)
}

func (d *Driver) recoverGuest(ctx context.Context, spec machine.Spec, rules []machine.Rule) error {
	g := d.guest(spec.Key)
	_, err := d.locked(g, func() (*life, error) {
		c, err := inspect(ctx, d.object(roleMachine, spec.Key))
		if err != nil || c == nil {
			return nil, err
		}
		g.spec, g.rules, g.life = spec, rules, newLife()
		if c.State.Running || c.State.ExitCode == exitReboot {
			return nil, d.resume(ctx, g, c)
		}
		g.off.Store(true)
		return nil, nil
	})
	return err
}

// removeUnknown removes containers and volumes whose key, a machine's or a network's, is
// not to be kept.
func (d *Driver) removeUnknown(ctx context.Context, keep map[string]bool) error {
	all, err := d.containers(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, c := range all {
		if !keep[c.key] {
			failed = append(failed, removeContainer(ctx, c.name))
		}
	}
	volumes, err := d.volumes(ctx)
	failed = append(failed, err)
	kept := map[string]bool{}
	for key := range keep {
		kept[d.object(roleMachine, key)] = true
	}
	for _, name := range volumes {
		if !kept[name] {
			failed = append(failed, removeVolume(ctx, name))
		}
	}
	return errors.Join(failed...)
}
