package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/plain"
)

// answer finds what the code means. A few codes mean several things, and a code that
// nobody has seen is sorted by its HTTP status.
func (e armError) answer() answer {
	code := strings.ToLower(e.code)
	if a, ok := byCode[code+e.variant(code)]; ok {
		return a
	}
	if a, ok := byCode[code]; ok {
		return a
	}
	a := answer{kind: agent.KindInternal, hint: tryAgain}
	switch e.status {
	case http.StatusUnauthorized:
		a.kind, a.hint = agent.KindCredentials, tryLogin
	case http.StatusForbidden:
		a.kind, a.hint = agent.KindDenied, tryRole
	case http.StatusNotFound:
		a.kind, a.hint = agent.KindNotFound, "mngr list"
	case http.StatusConflict, http.StatusPreconditionFailed:
		a.kind = agent.KindConflict
	case http.StatusTooManyRequests:
		a.kind, a.hint = agent.KindThrottled, tryLater
	case http.StatusBadRequest:
		a.kind, a.hint = agent.KindUsage, trySettings
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		a.kind, a.hint = agent.KindUnreachable, tryInside
	}
	return a
}

// variant tells which of its meanings a code has here: OperationNotAllowed is quota,
// throttling or a state that forbids the request.
func (e armError) variant(code string) string {
	said := strings.ToLower(e.message)
	switch code {
	case "operationnotallowed":
		switch {
		case len(e.details) > 0 && strings.EqualFold(e.details[0].Code, "TooManyRequests"):
			return "/throttled"
		case strings.Contains(said, "quota"):
			return "/quota"
		case strings.Contains(said, "in progress"):
			return "/busy"
		}
	case "authorizationfailed":
		if strings.Contains(said, "microsoft.authorization/") {
			return "/roles"
		}
	case "badrequest":
		if strings.Contains(said, "hypervisor generation") {
			return "/generation"
		}
	case "invalidparameter":
		return "/" + strings.ToLower(e.target[strings.LastIndex(e.target, ".")+1:])
	}
	return ""
}

// translate is the package's, in the words of this instance: its group, its region, the
// command that prepares it.
func (p *Provider) translate(err error, doing string) error { return p.scene().translate(err, doing) }

// translate turns whatever the SDK returned into one line of cause and one of remedy.
// doing is what failed, as an infinitive: "deallocate the machine".
func translate(err error, doing string) error { return scene{}.translate(err, doing) }

func (sc scene) translate(err error, doing string) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*agent.Error](err); ok {
		return fmt.Errorf("%s: %w", doing, known)
	}
	if login, ok := errors.AsType[*loginError](err); ok {
		return &agent.Error{Kind: login.kind, Cause: login.cause, Hint: login.hint, Err: err}
	}
	if arm, ok := asARM(err); ok {
		e := sc.explain(arm)
		e.Cause, e.Err = doing+": "+e.Cause, err
		return e
	}
	e := &agent.Error{Kind: agent.KindInternal, Err: err}
	switch {
	case errors.Is(err, context.Canceled):
		e.Kind, e.Cause = agent.KindCanceled, doing+": interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind, e.Cause = agent.KindTimeout, doing+": not done in time"
		e.Hint = "mngr list # shows what has become of it"
	default:
		if cause, hint, ok := networkWords(err); ok {
			e.Kind, e.Cause, e.Hint = agent.KindUnreachable, doing+": Azure does not answer: "+cause, hint
			break
		}
		e.Cause = doing + ": " + plain.Line(err.Error(), 300)
	}
	return e
}

// explain says what ARM's answer means: in our words where they say more than ARM's, and
// always with ARM's code.
func (sc scene) explain(arm armError) *agent.Error {
	a := arm.answer()
	values := sc.values(arm)
	e := &agent.Error{Kind: a.kind, Code: arm.code}
	for cause := range strings.SplitSeq(a.cause, " || ") {
		if text, ok := fill(cause, values, asItIs); ok && e.Cause == "" {
			e.Cause = text
		}
	}
	if e.Cause == "" {
		e.Cause = sentence(arm.message)
	}
	switch {
	case e.Cause == "" && arm.code == "":
		e.Cause = fmt.Sprintf("Azure answered %d", arm.status)
	case e.Cause == "":
		e.Cause = arm.code
	case arm.code != "" && e.Cause != arm.code:
		e.Cause += " (" + arm.code + ")"
	}
	if wait, ok := asksToWait(arm); ok && arm.retryAfter > 0 {
		e.Cause += "; it asks to wait until " + clock(wait)
	}
	if a.kind == agent.KindInternal && arm.correlation != "" {
		e.Cause += " [correlation id " + arm.correlation + "]"
	}
	for hint := range strings.SplitSeq(a.hint, " || ") {
		if text, ok := fill(hint, values, asWord); ok && e.Hint == "" {
			e.Hint = text
		}
	}
	return e
}

// clock is the time of day after a wait, with its length: "14:03:20 (240 s)".
func clock(wait time.Duration) string {
	return fmt.Sprintf("%s (%d s)", time.Now().Add(wait).Format(time.TimeOnly), int(wait.Round(time.Second)/time.Second))
}

const prepareCommand = "mngr azure prepare"

// prepareCommand prepares this instance.
func (p *Provider) prepareCommand() string {
	if p.settings.Name == Defaults().Name {
		return prepareCommand
	}
	return prepareCommand + " --provider " + p.settings.Name
}
