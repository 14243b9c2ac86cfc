package fault

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
)

// Hit is a call that a rule has hit. A nil Hit is none.
type Hit struct {
	Rule Rule
	call Call
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

// throttled is compute's own refusal of too many requests, without the envelope
// (documentation: troubleshooting-throttling-errors).
func (h *Hit) throttled() *arm.Error {
	bucket, wait := bucketOf(h.call.Operation), h.Rule.RetryAfter
	if wait == 0 {
		wait = 1200
	}
	message := h.Rule.Message
	if message == "" {
		message = "The server rejected the request because too many requests have been received for this subscription."
	}
	e := arm.Errorf(http.StatusTooManyRequests, "OperationNotAllowed", "%s", message)
	e.Bare = true
	e.Details = []arm.Detail{{Code: "TooManyRequests", Target: bucket,
		Message: `{"operationGroup":"` + bucket + `","allowedRequestCount":300,"measuredRequestCount":1238}`}}
	e.Header = http.Header{"Retry-After": {strconv.Itoa(wait)}, "X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/" + bucket + ";0"}, "X-Ms-Request-Charge": {"1"}}
	return e
}

// bucketOf is the limit that an operation of compute spends.
func bucketOf(operation string) string {
	_, verb, _ := strings.Cut(strings.ToLower(operation), "virtualmachines/")
	switch verb {
	case "write":
		return "PutVM"
	case "delete", "deallocate/action", "simulateeviction/action":
		return "DeleteVM"
	case "read":
		return "HighCostGet"
	case "instanceview/read":
		return "LowCostGet"
	}
	return "UpdateVM"
}

// text is Azure's own wording for the errors that it is known for.
func text(code string, c Call) string {
	size, _ := c.field("properties.hardwareProfile.vmSize")
	location, _ := c.field("location")
	switch code {
	case "SkuNotAvailable":
		return "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: " + size + "' is currently not available in location '" + location +
			"'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details."
	case "AllocationFailed":
		return "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance"
	case "ZonalAllocationFailed":
		return "Allocation failed. We do not have sufficient capacity for the requested VM size in this zone. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance"
	case "OverconstrainedAllocationRequest", "OverconstrainedZonalAllocationRequest":
		return "Allocation failed. VM(s) with the following constraints cannot be allocated, because the condition is too restrictive. Please remove some constraints and try again. Constraints applied are:\n  - VM Size\n"
	case "OSProvisioningTimedOut":
		return "OS Provisioning for VM '" + arm.Name(c.Resource) + "' did not finish in the allotted time. The VM may still finish provisioning successfully. Please check provisioning state later."
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
