package azure

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"mngr/internal/agent"
)

// Start allocates and boots a machine. Starting one that runs is fine.
func (p *Provider) Start(ctx context.Context, resource string, waitFor bool, progress agent.Progress) error {
	say(progress, "starting the machine")
	return p.change(ctx, resource, "start", waitFor, progress, func(ctx context.Context, s *session, group, name string) (operation, error) {
		op, err := s.machines.BeginStart(ctx, group, name, nil)
		return follow(p, op), err
	})
}

// Stop deallocates a machine, whether it runs or is merely stopped: nothing but storage
// and the address is billed afterwards.
func (p *Provider) Stop(ctx context.Context, resource string, waitFor bool, progress agent.Progress) error {
	say(progress, "deallocating the machine")
	return p.change(ctx, resource, "deallocate", waitFor, progress, func(ctx context.Context, s *session, group, name string) (operation, error) {
		op, err := s.machines.BeginDeallocate(ctx, group, name, nil)
		return follow(p, op), err
	})
}

// operation waits for what has been accepted.
type operation func(context.Context) error

func follow[T any](p *Provider, op *runtime.Poller[T]) operation {
	return func(ctx context.Context) error {
		_, err := wait(ctx, p, op)
		return err
	}
}

// change asks for one change of a machine's power, patiently while another operation is
// under way, and waits for it if told to.
func (p *Provider) change(ctx context.Context, resource, verb string, waitFor bool, progress agent.Progress,
	begin func(ctx context.Context, s *session, group, name string) (operation, error)) error {
	limit, cancel := context.WithTimeout(ctx, agent.DeadlineOperation)
	defer cancel()
	s, err := p.session(limit)
	if err != nil {
		return err
	}
	name, err := p.machineName(s, resource)
	if err != nil {
		return err
	}
	var done operation
	err = whileBusy(limit, p, progress, func(ctx context.Context) (err error) {
		done, err = begin(ctx, s, p.settings.ResourceGroup, name)
		return err
	})
	if err == nil && waitFor {
		err = done(limit)
	}
	if err != nil && ctx.Err() == nil && errors.Is(limit.Err(), context.DeadlineExceeded) {
		return agent.Errorf(agent.KindTimeout, "%s machine %s: not done after %s; Azure goes on",
			verb, name, agent.DeadlineOperation).WithHint("mngr list")
	}
	return p.translate(err, verb+" machine "+name)
}
