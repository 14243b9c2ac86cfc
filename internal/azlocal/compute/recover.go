package compute

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/network"
)

// Recover brings the machines and what is stored about them together again after the
// daemon was down. restart tells that machines which ran must be booted: the daemon or the
// computer had stopped them. Otherwise one that is off switched itself off.
func (p *Provider) Recover(ctx context.Context, restart bool) error {
	known, rules, ran := p.known()
	if err := p.Driver.Recover(ctx, known, rules); err != nil {
		return fmt.Errorf("recover machines: %w", err)
	}
	return each(ran, func(spec machine.Spec) error {
		state, err := p.Driver.State(ctx, spec.Key)
		switch {
		case err != nil:
			return fmt.Errorf("look at machine %s: %w", spec.Name, err)
		case state == machine.Running:
			return nil
		case !restart:
			return p.PoweredOff(spec.Key)
		}
		if err := p.Driver.Start(ctx, spec, rules[spec.Key]); err != nil {
			return errors.Join(fmt.Errorf("boot machine %s: %w", spec.Name, err), p.PoweredOff(spec.Key))
		}
		return nil
	})
}

// StopAll stops the machines that run, for the daemon's own end; what is stored about
// them stays, so that Recover boots them again.
func (p *Provider) StopAll(ctx context.Context) error {
	_, _, ran := p.known()
	return each(ran, func(spec machine.Spec) error { return p.Driver.Stop(ctx, spec.Key, false) })
}

func (p *Provider) known() (all []machine.Spec, rules map[string][]machine.Rule, ran []machine.Spec) {
	rules = map[string][]machine.Rule{}
	p.world.View(func(t *fabric.Tx) {
		for _, d := range t.List(TypeVM, "") {
			if provisioning(d) == "Creating" && firstInterface(d) == "" {
				continue // its operation has not reached the driver yet
			}
			spec := specOf(t, d)
			all = append(all, spec)
			rules[spec.Key] = network.Effective(t, firstInterface(d))
			if powerOf(d) == Running && t.Busy(d.ID) == nil {
				ran = append(ran, spec)
			}
		}
	})
	return all, rules, ran
}

// each runs f for all machines, a few at a time.
func each(specs []machine.Spec, f func(machine.Spec) error) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		all  []error
		slot = make(chan struct{}, 4)
	)
	for _, spec := range specs {
		slot <- struct{}{}
		wg.Go(func() {
			defer func() { <-slot }()
			if err := f(spec); err != nil {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(all...)
}
