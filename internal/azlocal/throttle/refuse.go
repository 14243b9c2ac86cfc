package throttle

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"mngr/internal/azlocal/arm"
)

// Refused is what Compute tells of a limit that was passed.
type Refused struct {
	Group             string
	Start, End        time.Time // End is when requests are taken again
	Allowed, Measured int
}

// ByCompute is Compute's own refusal, without the envelope (documentation:
// troubleshooting-throttling-errors). wait is what the client is told.
func ByCompute(r Refused, wait time.Duration) *arm.Error {
	e := arm.Errorf(http.StatusTooManyRequests, "OperationNotAllowed",
		"The server rejected the request because too many requests have been received for this subscription.")
	e.Bare = true
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000-07:00") }
	e.Details = []arm.Detail{{Code: "TooManyRequests", Target: r.Group, Message: fmt.Sprintf(
		`{"operationGroup":%q,"startTime":%q,"endTime":%q,"allowedRequestCount":%d,"measuredRequestCount":%d}`,
		r.Group, at(r.Start), at(r.End), r.Allowed, r.Measured)}}
	e.Header = WaitHeader(wait)
	e.Header.Set("X-Ms-Ratelimit-Remaining-Resource", "Microsoft.Compute/"+r.Group+";0")
	e.Header.Set("X-Ms-Request-Charge", "1")
	return e
}

// WaitHeader tells when to ask again: in seconds, which are at least one, and beside them
// in milliseconds where these are not the same. The Go SDK reads both.
func WaitHeader(wait time.Duration) http.Header {
	h := http.Header{}
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(max(wait.Seconds(), 1)))))
	if wait%time.Second != 0 {
		h.Set("Retry-After-Ms", strconv.FormatInt(max(wait.Milliseconds(), 1), 10))
	}
	return h
}
