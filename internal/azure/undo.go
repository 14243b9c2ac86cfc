package azure

import (
	"context"
	"errors"
	"net/http"
	"time"

	"mngr/internal/agent"
)

// undo destroys a machine that must not stay, however often Azure refuses to. What is
// left in the end is agent.KindRemains, with the command that removes it.
func (p *Provider) undo(ctx context.Context, host agent.Host, progress agent.Progress) error {
	err := p.insist(ctx, progress, "removing the machine again", func(ctx context.Context) error {
		return p.Destroy(ctx, host, progress)
	})
	if err == nil || agent.KindOf(err) == agent.KindRemains {
		return err
	}
	return &agent.Error{Kind: agent.KindRemains, Err: err, Hint: "mngr destroy --force @" + host.Name,
		Cause: "machine " + nameIn(host.Resource) + " remains with its disk, address and interface, and bills: " + err.Error()}
}

// insist repeats do until it succeeds, fails for good, or ctx ends: with pauses of a few
// seconds, or as long as Azure asks for if ctx lasts that long.
func (p *Provider) insist(ctx context.Context, progress agent.Progress, again string, do func(context.Context) error) error {
	for delay := p.settings.PollInterval; ; delay = min(2*delay, time.Minute) {
		err := unthrottled(ctx, progress, do)
		if err == nil || !passes(err) || ctx.Err() != nil {
			return err
		}
		if pause(ctx, delay) != nil {
			return err
		}
		say(progress, again)
	}
}

// passes tells whether what failed may succeed some time later without anybody's help.
func passes(err error) bool {
	kind := agent.KindOf(err)
	if e, ok := asARM(err); ok {
		if e.status >= http.StatusInternalServerError {
			return true
		}
		kind = e.answer().kind
	}
	switch kind {
	case agent.KindConflict, agent.KindThrottled, agent.KindUnreachable, agent.KindTimeout, agent.KindRemains:
		return true
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// remaining is the error of a failure that could not be undone.
func remaining(failed, undo error) error {
	return &agent.Error{Kind: agent.KindRemains, Cause: failed.Error() + "; and then: " + undo.Error(),
		Hint: agent.HintOf(undo), Err: errors.Join(failed, undo)}
}
