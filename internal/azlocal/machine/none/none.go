// Package none is the driver without guests: machines are entries in a map, always up
// when they should be. It serves tests and work on the control plane alone, with
// thousands of machines. Only internal/azlocal imports it.
package none

import (
	"context"
	"fmt"
	"io"
	"sync"

	"mngr/internal/azlocal/machine"
)

// Driver is a machine.Driver.
type Driver struct {
	// PoweredOff hears of machines that lost their power; nil: nobody.
	PoweredOff func(key string)

	mu     sync.Mutex
	states map[string]machine.State
	rules  map[string][]machine.Rule
}

// New returns a driver without machines.
func New() *Driver {
	return &Driver{states: map[string]machine.State{}, rules: map[string][]machine.Rule{}}
}

// Name is "none".
func (d *Driver) Name() string { return "none" }

// Prepare has nothing to make.
func (d *Driver) Prepare(context.Context, func(string)) error { return nil }

// Create notes the machine as running.
func (d *Driver) Create(ctx context.Context, spec machine.Spec, rules []machine.Rule) error {
	return d.set(ctx, spec.Key, machine.Running, rules)
}

// Start notes the machine as running.
func (d *Driver) Start(ctx context.Context, spec machine.Spec, rules []machine.Rule) error {
	return d.set(ctx, spec.Key, machine.Running, rules)
}

// Stop notes the machine as off.
func (d *Driver) Stop(ctx context.Context, key string, _ bool) error {
	return d.change(ctx, key, machine.Off)
}

// Restart changes nothing.
func (d *Driver) Restart(ctx context.Context, key string) error {
	return d.change(ctx, key, machine.Running)
}

// Kill notes the machine as off and reports it.
func (d *Driver) Kill(ctx context.Context, key string) error {
	if err := d.change(ctx, key, machine.Off); err != nil {
		return err
	}
	if d.PoweredOff != nil {
		d.PoweredOff(key)
	}
	return nil
}

// Exec has no guest to run anything in.
func (d *Driver) Exec(context.Context, string, []string, io.Reader) (machine.Result, error) {
	return machine.Result{}, machine.ErrNoGuest
}

// Delete forgets the machine.
func (d *Driver) Delete(ctx context.Context, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.states, key)
	delete(d.rules, key)
	return ctx.Err()
}

// SetRules remembers the rules.
func (d *Driver) SetRules(ctx context.Context, key string, rules []machine.Rule) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.states[key]; !ok {
		return fmt.Errorf("set the rules of machine %s: it does not exist", key)
	}
	d.rules[key] = rules
	return ctx.Err()
}

// Rules returns what SetRules, Create or Start was given last.
func (d *Driver) Rules(key string) []machine.Rule {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rules[key]
}

// State returns what was noted.
func (d *Driver) State(_ context.Context, key string) (machine.State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.states[key]; ok {
		return s, nil
	}
	return machine.Absent, nil
}

// Recover takes every known machine for running: one without a guest cannot have
// switched itself off, and nobody asks for the state of one that should be off.
func (d *Driver) Recover(_ context.Context, known []machine.Spec, rules map[string][]machine.Rule) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.states)
	for _, spec := range known {
		d.states[spec.Key], d.rules[spec.Key] = machine.Running, rules[spec.Key]
	}
	return nil
}

// Close has nothing to close.
func (d *Driver) Close(context.Context, bool) error { return nil }

func (d *Driver) set(ctx context.Context, key string, s machine.State, rules []machine.Rule) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.states[key], d.rules[key] = s, rules
	return ctx.Err()
}

func (d *Driver) change(ctx context.Context, key string, s machine.State) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.states[key]; !ok {
		return fmt.Errorf("machine %s does not exist", key)
	}
	d.states[key] = s
	return ctx.Err()
}
