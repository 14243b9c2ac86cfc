package arm

import (
	"net/http"
	"net/url"

	"mngr/internal/azlocal/doc"
)

// Principal is who calls, as the token says.
type Principal struct {
	ObjectID string `json:"oid"`
	AppID    string `json:"appid,omitempty"`
	TenantID string `json:"tid,omitempty"`
}

// Request is a call that has passed the front door: its token and api-version are good
// and its body, if any, is a JSON object.
type Request struct {
	Method     string
	Path       string // of the whole request
	ID         string // see Match.ID
	Params     map[string]string
	Query      url.Values
	Header     http.Header
	Body       doc.Object // nil when there was none
	Origin     string     // scheme and host the client used: polling URLs live there
	APIVersion string
	Paging     Paging
	Principal  Principal
}

// Response is an answer. Body nil means an empty one.
type Response struct {
	Status int
	Header http.Header
	Body   any
}

// OK is a 200 with body.
func OK(body any) *Response { return &Response{Status: http.StatusOK, Body: body} }

// Reply is an answer with any status.
func Reply(status int, body any) *Response { return &Response{Status: status, Body: body} }

// Set adds a header and returns the answer.
func (r *Response) Set(name, value string) *Response {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(name, value)
	return r
}
