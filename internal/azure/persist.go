package azure

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"mngr/internal/agent"
)

// stubbornly repeats what may be repeated without harm while Azure is busy, throttles or
// fails by itself, for at most limit and the time for which Azure asks to be left alone.
// Each reason to wait is shown once, to progress or else to whom ctx names.
func stubbornly(ctx context.Context, p *Provider, limit agent.Deadline, progress agent.Progress, do func(context.Context) error) error {
	until := time.Now().Add(time.Duration(limit))
	delay, told := p.settings.PollInterval/2, ""
	if progress == nil {
		progress = func(phase string) { agent.Tell(ctx, phase) }
	}
	for {
		err := try(ctx, until, do)
		if err == nil || !passes(err) {
			return err
		}
		silence := max(delay, askedFor(err))
		if _, throttled := asksToWait(err); throttled {
			until = until.Add(silence)
		}
		wake := time.Now().Add(silence)
		if end, bounded := ctx.Deadline(); wake.After(until) || bounded && wake.After(end) {
			return p.overdue(err, told, limit)
		}
		if reason := waiting(err, silence); reason != told {
			say(progress, reason)
			told = reason
		}
		if stopped := pause(ctx, silence); stopped != nil {
			return errors.Join(stopped, err)
		}
		delay = min(2*delay, 15*p.settings.PollInterval)
	}
}

// overdue is the error of a wait that has come to its end. What Azure has been saying all
// the while explains it. Azure's own wish to be left alone for longer is no such wait.
func (p *Provider) overdue(err error, phase string, limit agent.Deadline) error {
	known, ok := errors.AsType[*agent.Error](p.translate(err, phase))
	if !ok || phase == "" || known.Kind != agent.KindConflict && known.Kind != agent.KindInternal {
		return err
	}
	late := *known
	late.Kind, late.Cause = agent.KindTimeout, known.Cause+"; not over within "+limit.String()
	return &late
}

func try(ctx context.Context, until time.Time, do func(context.Context) error) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return do(ctx)
}

// passes tells whether the same request may succeed later.
func passes(err error) bool {
	if _, noLogin := errors.AsType[*loginError](err); noLogin || errors.Is(err, context.Canceled) {
		return false
	}
	arm, answered := asARM(err)
	if !answered {
		_, network := errors.AsType[net.Error](err)
		return network
	}
	switch strings.ToLower(arm.code) {
	case "operationpreempted", "nicreservedforanothervm", "publicipaddresscannotbedeleted",
		"internalservererror", "internalexecutionerror", "internaloperationerror":
		return true
	}
	kind := arm.answer().kind
	return busy(err) || arm.status >= 500 || kind == agent.KindThrottled || kind == agent.KindUnreachable
}

// askedFor is how long Azure wants to be left alone: Compute
// asks for hundreds of seconds (Microsoft, "Throttling limits for Compute"), which the SDK
// does not wait.
func askedFor(err error) time.Duration {
	r, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok || r.RawResponse == nil || r.StatusCode == http.StatusOK {
		return 0
	}
	return retryAfter(r.RawResponse, 0)
}

func waiting(err error, silence time.Duration) string {
	arm, answered := asARM(err)
	switch {
	case !answered:
		return "waiting for Azure, which does not answer"
	case arm.answer().kind == agent.KindThrottled:
		return throttledPhase(silence)
	case strings.EqualFold(arm.code, "NicReservedForAnotherVm"):
		return reservedPhase
	case arm.status >= 500 || strings.HasPrefix(strings.ToLower(arm.code), "internal"):
		return "waiting after an error inside Azure"
	}
	return "waiting for another operation on the machine"
}

// reservedPhase names the wait for an interface of a machine that never came to be.
const reservedPhase = "waiting for Azure to release the network interface (180 seconds)"
