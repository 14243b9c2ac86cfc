package azure

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"mngr/internal/agent"
)

// armError is what ARM said. A failed operation comes with HTTP status 200, so that
// only the code tells what happened.
type armError struct {
	status  int
	code    string
	message string
	target  string   // what the message is about, where ARM says so
	details []string // codes of the details
}

// asARM finds ARM's answer in err's chain.
func asARM(err error) (armError, bool) {
	r, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return armError{}, false
	}
	e := armError{status: r.StatusCode, code: r.ErrorCode}
	if r.RawResponse == nil {
		return e, true
	}
	body, err := runtime.Payload(r.RawResponse)
	if err != nil {
		return e, true
	}
	e.read(body)
	return e, true
}

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target"`
	Details []struct {
		Code string `json:"code"`
	} `json:"details"`
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
	e.message, e.target = oneLine(b.Message), b.Target
	if e.code == "" {
		e.code = b.Code
	}
	for _, d := range b.Details {
		e.details = append(e.details, d.Code)
	}
}

// oneLine is the first sentence or two of a message, fit for a terminal.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.TrimRight(s, ". ")
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
	k := e.kind() // a subscription or a type that ARM does not know is no absence
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
	switch strings.ToLower(e.code) {
	case "conflict", "anotheroperationinprogress", "retryableerror",
		"retryableerrorduetoanotheroperation", "conflictingconcurrentwritenotallowed":
		return true
	case "operationnotallowed":
		return strings.Contains(strings.ToLower(e.message), "in progress")
	}
	return false
}
