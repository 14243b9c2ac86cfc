package azure

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"mngr/internal/agent"
)

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// wait polls an operation until it is terminal. The SDK's own loop would obey
// Retry-After, with which Compute asks for up to 50 seconds of silence after a create;
// here the server may only hurry us. Compute allows 45 polls at once and 15 a minute for
// one machine, hence the slower pace after the first minute.
func wait[T any](ctx context.Context, p *Provider, op *runtime.Poller[T]) (T, error) {
	interval := p.settings.PollInterval
	next := interval / 10 // many operations are over almost at once
	for polls := 0; !op.Done(); polls++ {
		if polls == 30 {
			interval *= 2
		}
		if err := pause(ctx, next); err != nil {
			return *new(T), err
		}
		resp, err := op.Poll(ctx)
		if err == nil {
			next = min(interval, retryAfter(resp, interval))
			continue
		}
		if next = patience(err); next == 0 || ctx.Err() != nil {
			return *new(T), err
		}
		if next > agent.PatienceUnshown {
			agent.Tell(ctx, throttledPhase(next))
		}
	}
	return op.Result(ctx)
}

// retryAfter is how long the server wants to be left alone; usual where it does not say.
func retryAfter(resp *http.Response, usual time.Duration) time.Duration {
	if resp == nil {
		return usual
	}
	for _, h := range []struct {
		name string
		unit time.Duration
	}{{"Retry-After-Ms", time.Millisecond}, {"X-Ms-Retry-After-Ms", time.Millisecond}, {"Retry-After", time.Second}} {
		if n, err := strconv.Atoi(resp.Header.Get(h.name)); err == nil && n > 0 {
			return time.Duration(n) * h.unit
		}
	}
	return usual
}

// finish waits for an operation that has just been asked for.
func finish[T any](ctx context.Context, p *Provider, op *runtime.Poller[T], err error) error {
	if err != nil {
		return err
	}
	_, err = wait(ctx, p, op)
	return err
}

// patience is how long to leave a throttled poll alone; 0 for any other error. The SDK
// gives up at once when asked to wait for more than a minute.
func patience(err error) time.Duration {
	wait, asked := asksToWait(err)
	if !asked {
		return 0
	}
	return min(wait, 5*time.Minute)
}

// unthrottled repeats do, which may be done once only (stubbornly is for what may be
// repeated), as often as Azure asks to be left alone for a while first, and
// shows until when. The SDK has waited for what is shorter than a minute; Compute asks
// for up to twenty. Where ctx would end earlier, nobody waits.
func unthrottled(ctx context.Context, progress agent.Progress, do func(context.Context) error) error {
	for {
		err := do(ctx)
		wait, asked := asksToWait(err)
		if !asked {
			return err
		}
		if end, bounded := ctx.Deadline(); bounded && time.Now().Add(wait).After(end) {
			return err
		}
		say(progress, throttledPhase(wait))
		if stopped := pause(ctx, wait); stopped != nil {
			return stopped
		}
	}
}

// throttledPhase shows a wait that Azure has asked for, with its end.
func throttledPhase(wait time.Duration) string {
	return "Azure asks to wait (throttled): waiting until " + clock(max(wait, time.Second))
}

func say(progress agent.Progress, phase string) {
	if progress != nil {
		progress(phase)
	}
}
