package activity

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Entry is one line of the log: a request with its answer, the end of an operation that a
// request began, a connection to a machine, its end, or an act of the platform.
type Entry struct {
	Time        time.Time `json:"time"`                     // when the request came, or the operation ended
	Principal   string    `json:"principal,omitempty"`      // object id
	Name        string    `json:"principal_name,omitempty"` // "" where nobody knows it
	Operation   string    `json:"operation"`                // the action asked for, or method and path
	Resource    string    `json:"resource,omitempty"`
	Method      string    `json:"method,omitempty"` // "" for ends, and for what the platform did by itself
	Path        string    `json:"path,omitempty"`   // with the query; of requests to ARM
	Status      int       `json:"status"`           // 0: the connection was cut, or no request
	Code        string    `json:"code,omitempty"`   // of an error
	Fault       string    `json:"fault,omitempty"`  // id of the fault that was hit
	Millis      float64   `json:"ms"`
	Correlation string    `json:"correlationId,omitempty"`
	Request     string    `json:"request_id,omitempty"`        // x-ms-request-id of the answer; of requests to ARM
	Client      string    `json:"client_request_id,omitempty"` // x-ms-client-request-id, as the client says

	// Of the operation that a request began, or of a connection. In the file its end is a
	// line of its own, without a method; Requests puts the two together.
	ID        string  `json:"operation_id,omitempty"`
	Ended     Outcome `json:"ended,omitempty"`
	EndedCode string  `json:"ended_code,omitempty"`
	EndedMS   float64 `json:"ended_ms,omitempty"` // how long it took as a whole
	Bytes     int64   `json:"bytes,omitempty"`    // that passed by a connection, both ways together
}

// Outcome is how an operation ended.
type Outcome string

// The outcomes of operations.
const (
	Succeeded Outcome = "Succeeded"
	Failed    Outcome = "Failed"
	Canceled  Outcome = "Canceled"
)

// ARM tells whether the entry is a request to ARM, and not to Entra, Graph or a metadata
// service.
func (e Entry) ARM() bool {
	service, _, other := strings.Cut(e.Operation, ":")
	return e.Method != "" && !(other && slices.Contains([]string{"entra", "graph", "imds"}, service))
}

// Connection tells whether the entry is a connection to a machine's public address.
func (e Entry) Connection() bool { return strings.HasPrefix(e.Operation, "tcp:") }

// Write tells whether the entry is a request to ARM that wants to change something.
// Whether it was allowed to is in Status.
func (e Entry) Write() bool {
	switch e.Method {
	case http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete:
		return e.ARM()
	}
	return false
}

// Trouble tells whether a request was refused or cut, or an operation did not succeed.
func (e Entry) Trouble() bool {
	switch {
	case e.Ended != "" && e.Ended != Succeeded:
		return true
	case e.Method == "":
		return e.Status >= http.StatusBadRequest
	}
	return e.Status >= http.StatusBadRequest || e.Status == 0
}
