package fault

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/throttle"
)

// Hit is a call that a rule has hit. A nil Hit is none.
type Hit struct {
	Rule Rule
	call Call
	at   time.Time

	removed <-chan struct{} // the rule is
}

// Is tells whether the call meets one of some kinds of trouble.
func (h *Hit) Is(kinds ...Kind) bool {
	if h == nil {
		return false
	}
	for _, k := range kinds {
		if h.Rule.Effect == k {
			return true
		}
	}
	return false
}

// ID is the rule's id, "" without a hit.
func (h *Hit) ID() string {
	if h == nil {
		return ""
	}
	return h.Rule.ID
}

// Acts tells whether the trouble befalls a machine.
func (h *Hit) Acts() bool { return h.Is(KillMachine, HangSSH, EvictMachine) }

// Pause waits as long as the rule says.
func (h *Hit) Pause(ctx context.Context) error {
	if !h.Is(Delay) {
		return nil
	}
	timer := time.NewTimer(seconds(h.Rule.Wait))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Hold waits until the rule is removed, if it holds calls at this point. The error says
// that the client went first.
func (h *Hit) Hold(ctx context.Context, point Kind) error {
	if !h.Is(point) {
		return nil
	}
	select {
	case <-h.removed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Refusal is the error with which the call, or its operation, ends. It is nil for trouble
// of another kind.
func (h *Hit) Refusal() *arm.Error {
	if !h.Is(Refuse, Throttle, Fail) {
		return nil
	}
	if h.Rule.Effect == Throttle {
		return h.throttled()
	}
	status := h.Rule.Status
	if h.Rule.Effect == Fail {
		status = http.StatusConflict
	}
	code, message := h.Rule.Code, h.Rule.Message
	if code == "" {
		code = defaultCode(status)
	}
	if message == "" {
		message = text(code, h.call)
	}
	e := arm.Errorf(status, code, "%s", message)
	if h.Rule.RetryAfter > 0 && h.Rule.Effect == Refuse {
		e.Header = http.Header{"Retry-After": {strconv.Itoa(h.Rule.RetryAfter)}}
	}
	return e
}

// throttled is compute's own refusal of too many requests.
func (h *Hit) throttled() *arm.Error {
	wait := 1200 * time.Second // as in the documentation's example
	if h.Rule.RetryAfter > 0 {
		wait = time.Duration(h.Rule.RetryAfter) * time.Second
	}
	e := throttle.ByCompute(throttle.Refused{Group: h.group(), Start: h.at, End: h.at.Add(wait), Allowed: 300, Measured: 1238}, wait)
	if h.Rule.Message != "" {
		e.Message = h.Rule.Message
	}
	return e
}

// group is the limit that the call's operation spends.
func (h *Hit) group() string {
	_, verb, _ := strings.Cut(strings.ToLower(h.call.Operation), "virtualmachines/")
	id := arm.ParseID(h.call.Resource)
	switch {
	case verb == "write":
		return throttle.PutVM + "SubscriptionMaximum"
	case verb == "delete", verb == "deallocate/action", verb == "simulateeviction/action":
		return throttle.DeleteVM + "SubscriptionMaximum"
	case verb == "read" && len(id.Names) == 0:
		return throttle.HighCostGet + "SubscriptionMaximum"
	case strings.HasSuffix(verb, "read"):
		return throttle.LowCostGet + "SubscriptionMaximum"
	}
	return throttle.UpdateVM + "SubscriptionMaximum"
}

// text is Azure's own wording for the errors that it is known for.
func text(code string, c Call) string {
	size, _ := c.field("properties.hardwareProfile.vmSize")
	location, _ := c.field("location")
	switch code {
	case "SkuNotAvailable":
		return arm.SkuNotAvailable(size, location).Message
	case "AllocationFailed", "ZonalAllocationFailed":
		return arm.AllocationFailed(code[0] == 'Z').Message
	case "OverconstrainedAllocationRequest", "OverconstrainedZonalAllocationRequest":
		return arm.Overconstrained(strings.Contains(code, "Zonal")).Message
	case "OSProvisioningTimedOut":
		return arm.OSProvisioningTimedOut(c.Resource).Message
	case "TooManyRequests", "SubscriptionRequestsThrottled":
		return "The request is being throttled as the limit has been reached for operation type - " + c.Operation + "."
	case "Conflict":
		return "The request failed due to conflict with a concurrent request. To resolve it, please refer to https://aka.ms/activitylog to get more details on the conflicting requests."
	case "ServiceUnavailable", "ServerBusy":
		return "The service is temporarily unavailable. Please retry later."
	case "InternalServerError", "InternalExecutionError":
		return "An internal execution error occurred. Please retry later."
	}
	return "The request was refused: " + code + "."
}
