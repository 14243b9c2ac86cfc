package azure

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"mngr/internal/agent"
	"mngr/internal/plain"
)

// armError is what ARM said. A failed operation comes with HTTP status 200, so that
// only the code tells what happened.
type armError struct {
	status      int // 0 where a machine's own status tells
	code        string
	message     string // one line
	target      string // what the message is about, where ARM says so
	details     []errorDetail
	policy      string        // name of the policy that forbids it, where one does
	correlation string        // Azure's id of the request, for its support
	retryAfter  time.Duration // how long Azure wants to be left alone; 0 where it does not say
	region      string        // of the operation, where its URL tells
}

// errorDetail is one of an error's details.
type errorDetail struct {
	Code   string `json:"code"`
	Target string `json:"target"`
}

// Error lets what a machine says of its failed operation travel like ARM's own answer.
func (e armError) Error() string { return e.code + ": " + e.message }

// asARM finds ARM's answer in err's chain.
func asARM(err error) (armError, bool) {
	if e, ok := errors.AsType[armError](err); ok {
		return e, true
	}
	r, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return armError{}, false
	}
	e := armError{status: r.StatusCode, code: plain.Line(r.ErrorCode, 80)}
	if r.RawResponse == nil {
		return e, true
	}
	e.correlation = plain.Line(r.RawResponse.Header.Get("x-ms-correlation-request-id"), 80)
	e.retryAfter = retryAfter(r.RawResponse, 0)
	if r.RawResponse.Request != nil && r.RawResponse.Request.URL != nil {
		_, after, _ := strings.Cut(r.RawResponse.Request.URL.Path, "/locations/")
		e.region, _, _ = strings.Cut(after, "/")
	}
	body, err := runtime.Payload(r.RawResponse)
	if err != nil {
		return e, true
	}
	e.read(body)
	return e, true
}

type errorBody struct {
	Code       string        `json:"code"`
	Message    string        `json:"message"`
	Target     string        `json:"target"`
	Details    []errorDetail `json:"details"`
	Additional []struct {
		Info struct {
			Policy string `json:"policyDefinitionDisplayName"`
		} `json:"info"`
	} `json:"additionalInfo"`
}

// read takes the usual wrapped body and Compute's throttling answer, which is not wrapped.
func (e *armError) read(body []byte) {
	var doc struct {
		Error errorBody `json:"error"`
		errorBody
	}
	if json.Unmarshal(body, &doc) != nil {
		return
	}
	b := doc.Error
	if b.Code == "" {
		b = doc.errorBody
	}
	e.message, e.target, e.details = strings.TrimRight(plain.Line(b.Message, mostMessage), ". "), plain.Line(b.Target, 200), b.Details
	if e.code == "" {
		e.code = plain.Line(b.Code, 80)
	}
	for _, a := range b.Additional {
		if e.policy == "" {
			e.policy = plain.Line(a.Info.Policy, 80)
		}
	}
}

// mostMessage is as much of a message as is worth a look, in bytes.
const mostMessage = 2000

// oneLine is the first sentence or two of a message, fit for a terminal.
func oneLine(s string) string { return strings.TrimRight(plain.Line(s, 300), ". ") }

// sentence is the first sentence of a message, which as a rule says it all.
func sentence(s string) string {
	for i, r := range s {
		if r == '.' && strings.HasPrefix(s[i+1:], " ") && i > 10 {
			s = s[:i]
			break
		}
	}
	return plain.Line(s, 300)
}

// hasCode tells whether ARM answered with one of the codes.
func hasCode(err error, codes ...string) bool {
	e, ok := asARM(err)
	if !ok {
		return false
	}
	for _, c := range codes {
		if strings.EqualFold(e.code, c) {
			return true
		}
	}
	return false
}

// absent tells whether what was asked for, or the group around it, does not exist.
func absent(err error) bool {
	e, ok := asARM(err)
	if !ok || e.status != http.StatusNotFound {
		return false
	}
	k := e.answer().kind // a subscription or a type that ARM does not know is no absence
	return k == agent.KindNotFound || k == agent.KindNotPrepared
}

// denied tells whether the login lacks a permission.
func denied(err error) bool {
	e, ok := asARM(err)
	return ok && (e.status == http.StatusForbidden ||
		strings.EqualFold(e.code, "AuthorizationFailed") || strings.EqualFold(e.code, "LinkedAuthorizationFailed"))
}

// busy tells whether the same request may succeed once another write is done.
func busy(err error) bool {
	e, ok := asARM(err)
	if !ok {
		return false
	}
	switch strings.ToLower(e.answer().code) {
	case "conflict", "anotheroperationinprogress", "retryableerror", "retryableerrorduetoanotheroperation",
		"conflictingconcurrentwritenotallowed", "operationnotallowed/busy":
		return true
	}
	return false
}

// asksToWait tells whether Azure wants to be left alone, and for how long.
func asksToWait(err error) (time.Duration, bool) {
	e, ok := asARM(err)
	switch {
	case !ok:
		return 0, false
	case e.answer().kind == agent.KindThrottled:
		if e.retryAfter > 0 {
			return e.retryAfter, true
		}
		return usualWait, true
	}
	return e.retryAfter, e.status == http.StatusServiceUnavailable && e.retryAfter > 0
}

// usualWait is for throttling that does not say for how long.
const usualWait = 15 * time.Second
