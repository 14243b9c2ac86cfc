package azure

import (
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// reauthorize asks once more with a new token where ARM refuses the one it got: a token
// that an earlier run kept may have been revoked since. It stands before the SDK's own
// policies, so that the second request takes all of them again.
type reauthorize struct{ tokens *tokenSource }

// Do implements policy.Policy.
func (r reauthorize) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	refused, ok := strings.CutPrefix(resp.Request.Header.Get("Authorization"), "Bearer ")
	if !ok || !hasCode(runtime.NewResponseError(resp), "InvalidAuthenticationToken", "ExpiredAuthenticationToken") {
		return resp, nil
	}
	r.tokens.forget(refused)
	runtime.Drain(resp)
	if err := req.RewindBody(); err != nil {
		return nil, err
	}
	return req.Next()
}
