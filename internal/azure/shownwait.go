package azure

import (
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"mngr/internal/agent"
)

// shownWait stands below the SDK's retries and tells whom the request's context names of a
// wait that the SDK is about to make of itself: it obeys a Retry-After of up to a minute.
type shownWait struct{}

// Do implements policy.Policy.
func (shownWait) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil {
		return resp, err
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if wait := retryAfter(resp, 0); wait > agent.PatienceUnshown {
			agent.Tell(req.Raw().Context(), throttledPhase(wait))
		}
	}
	return resp, nil
}
