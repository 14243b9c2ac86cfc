package arm

import (
	"fmt"
	"net/http"
)

// Error is a refusal in ARM's envelope. Texts follow recordings and documentation:
// clients parse them.
type Error struct {
	Status  int         `json:"-"`
	Header  http.Header `json:"-"` // extra headers, such as WWW-Authenticate
	Gateway bool        `json:"-"` // made by ARM itself, not by a resource provider
	Bare    bool        `json:"-"` // sent without the envelope, as compute's own throttling is

	Code    string   `json:"code"`
	Message string   `json:"message"`
	Target  string   `json:"target,omitempty"`
	Details []Detail `json:"details,omitempty"`
}

// Detail is an inner error.
type Detail struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Target  string `json:"target,omitempty"`
}

// Envelope is the body in which the error is sent.
func (e *Error) Envelope() any {
	if e.Bare {
		return e
	}
	return map[string]any{"error": e}
}

// Error returns code and message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes a refusal by a resource provider.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Gatewayf makes a refusal by ARM itself, which marks it with x-ms-failure-cause.
func Gatewayf(status int, code, format string, args ...any) *Error {
	e := Errorf(status, code, format, args...)
	e.Gateway = true
	return e
}

// About returns e with its target set.
func (e *Error) About(target string) *Error {
	e.Target = target
	return e
}

// NotFound is the 404 of a resource inside a group that exists.
func NotFound(id string) *Error {
	p := ParseID(id)
	return Gatewayf(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		p.Type(), p.FullName(), p.Group)
}

// GroupNotFound is the 404 of a resource group.
func GroupNotFound(name string) *Error {
	return Gatewayf(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", name)
}

// Precondition is the 412 of If-Match and If-None-Match.
func Precondition(id string) *Error {
	return Errorf(http.StatusPreconditionFailed, "PreconditionFailed",
		"The condition of If-Match or If-None-Match is not met by the resource '%s'.", id)
}
