package azure

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"mngr/internal/agent"
)

// Start allocates and boots a machine. Starting one that runs is fine. One for which
// Azure has no room stays deallocated and loses nothing. The end of ctx ends the wait, and a
// request that is not under way yet: one that Azure took up later would undo what its user
// does to take it back.
func (p *Provider) Start(ctx context.Context, resource string, waitFor bool, progress agent.Progress) error {
	say(progress, "starting the machine")
	err := p.change(ctx, ctx, resource, "start", waitFor, progress, func(ctx context.Context, s *session, group, name string) (operation, error) {
		if err := s.login(ctx); err != nil { // while an interruption still ends it at once
			return nil, cmp.Or(ctx.Err(), err)
		}
		told := context.AfterFunc(ctx, func() { say(progress, phaseTakingBack) })
		defer told()
		heard, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineAccept, "asking Azure to start machine "+name)
		defer done(nil)
		op, err := s.machines.BeginStart(heard, group, name, nil)
		return follow(p, op), err
	})
	switch agent.KindOf(err) {
	case agent.KindNoCapacity, agent.KindQuota:
		return p.noRoom(resource, err)
	}
	return err
}

// noRoom says what can be done for a machine that exists: flags of create do not help it.
func (p *Provider) noRoom(resource string, cause error) error {
	e := &agent.Error{Kind: agent.KindOf(cause), Err: cause, Cause: cause.Error() + "; nothing is lost, it stays deallocated",
		Hint: "az vm resize --ids " + resource + " --size SIZE # takes another size, to be started again; or start it later"}
	switch {
	case agent.CodeOf(cause) == "SpotPriceGreaterThanProvidedMaxPrice":
		e.Hint = "az vm update --ids " + resource + " --max-price -1 # then start again: it runs at any price up to the usual one"
	case e.Kind == agent.KindQuota:
		usage, _, _ := strings.Cut(agent.HintOf(cause), " #")
		e.Hint = agent.Explain(usage, "then ask for more in the portal (Subscriptions > Usage + quotas), or take a smaller size: az vm resize --ids "+resource+" --size SIZE")
	}
	return e
}

// Stop deallocates a machine, whether it runs or is merely stopped: nothing but storage
// and the address is billed afterwards. Whoever asks has ended the agents already, so that
// the end of ctx ends the wait and not the request.
func (p *Provider) Stop(ctx context.Context, resource string, waitFor bool, progress agent.Progress) error {
	say(progress, "deallocating the machine")
	return p.change(ctx, context.WithoutCancel(ctx), resource, "deallocate", waitFor, progress, func(ctx context.Context, s *session, group, name string) (operation, error) {
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

// mostTakeovers is how often a change is asked for again after another one took over.
const mostTakeovers = 3

// change asks within asking for one change of a machine's power, patiently while
// something passing is in its way, and waits for it within ctx if told to. Changes of
// power may be repeated: one that has happened already is no error.
func (p *Provider) change(ctx, asking context.Context, resource, verb string, waitFor bool, progress agent.Progress,
	begin func(ctx context.Context, s *session, group, name string) (operation, error)) error {
	limit, over := agent.Within(agent.WithProgress(ctx, progress), agent.DeadlineOperation, verb+" the machine")
	defer over(nil)
	asking, done := agent.Within(agent.WithProgress(asking, progress), agent.DeadlineOperation, verb+" the machine")
	defer done(nil)
	s, err := p.session(asking)
	if err != nil {
		return err
	}
	name, err := p.machineName(s, resource)
	if err != nil {
		return err
	}
	for takeovers := 0; ; takeovers++ {
		var done operation
		err = stubbornly(asking, p, agent.DeadlineChange, progress, func(ctx context.Context) (err error) {
			done, err = begin(ctx, s, p.settings.ResourceGroup, name)
			return err
		})
		if err == nil && waitFor {
			err = done(limit)
		}
		if !hasCode(err, "OperationPreempted") || takeovers == mostTakeovers || limit.Err() != nil {
			break
		}
		say(progress, "another operation took over: asking Azure again")
	}
	if err != nil && ctx.Err() == nil && errors.Is(limit.Err(), context.DeadlineExceeded) {
		return agent.Errorf(agent.KindTimeout, "%s machine %s: not done after %s; Azure goes on",
			verb, name, agent.DeadlineOperation).WithHint("mngr list")
	}
	return p.translate(err, verb+" machine "+name)
}
