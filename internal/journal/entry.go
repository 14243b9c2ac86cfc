package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"mngr/internal/plain"
)

// State is how far a request came, as far as this machine knows.
type State string

// States of a request.
const (
	Sent     State = "sent"     // about to go out; what became of it was never written down
	Answered State = "answered" // Azure has answered, with whatever status
	Broken   State = "broken"   // no answer came: Azure may have done it all the same
)

// Entry is one attempt of one request that wants to change something at Azure. Two lines
// of the file make one: the first is written before the request goes out, so that a process
// which dies leaves behind what it was about to do. Its keys are a contract.
type Entry struct {
	ID    string    `json:"client_request_id"` // ours, sent to Azure as x-ms-client-request-id; a new one for each attempt
	Time  time.Time `json:"time"`              // when it went out, UTC
	State State     `json:"state"`

	Command  string   `json:"command"` // names of command and flags; never their values
	Targets  []string `json:"targets"` // agents and hosts that the command names
	PID      int      `json:"pid"`
	Machine  string   `json:"operator_host"`
	Operator string   `json:"operator_user"` // of the operating system

	Principal     string `json:"principal_id"`   // object id, of the token
	PrincipalName string `json:"principal_name"` // of the token; "" for what has none, such as a service principal
	App           string `json:"app_id"`         // the application through which the principal logged in
	Tenant        string `json:"tenant_id"`

	Provider     string `json:"provider_name"`
	Subscription string `json:"subscription_id"`
	Method       string `json:"method"`
	Operation    string `json:"operation"` // Azure's name of it: Microsoft.Compute/virtualMachines/write
	Resource     string `json:"resource_id"`
	Attempt      int    `json:"attempt"` // from 1, of the same request

	// Of the answer.
	Request     string  `json:"request_id"`     // x-ms-request-id
	Correlation string  `json:"correlation_id"` // x-ms-correlation-request-id, which Azure's own activity log has
	Status      int     `json:"status"`         // HTTP; 0 without an answer
	Code        string  `json:"error_code"`     // Azure's own word
	Trouble     string  `json:"error"`          // why there was no answer
	Millis      float64 `json:"duration_ms"`
}

// Failed tells whether the request was refused or got no answer.
func (e Entry) Failed() bool { return e.State != Answered || e.Status >= http.StatusBadRequest }

// Limits of a line, in bytes.
const (
	maxLine = 4 << 10
	maxID   = 64
	// maxTargets is as many targets as a line names.
	maxTargets = 16
)

// errNoEntry is all that there is to say of a line that is none of ours.
var errNoEntry = errors.New("the line is no entry")

// Line encodes e as one line of at most 4 KiB, its newline included. What is too long is
// cut, the ids last.
func (e Entry) Line() ([]byte, error) {
	for _, limit := range []int{1024, 256, 64, 16} {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(e.clean(limit)); err != nil {
			return nil, fmt.Errorf("encode an entry: %w", err)
		}
		if b.Len() <= maxLine {
			return b.Bytes(), nil
		}
	}
	return nil, errors.New("an entry does not fit a line")
}

// Parse reads one line. What it returns is fit for a terminal, whoever has written it.
func Parse(line []byte) (Entry, error) {
	var e Entry
	if json.Unmarshal(line, &e) != nil {
		return Entry{}, errNoEntry
	}
	e = e.clean(maxLine)
	switch e.State {
	case Sent, Answered, Broken:
	default:
		return Entry{}, errNoEntry
	}
	if e.ID == "" || e.Method == "" || e.Time.IsZero() {
		return Entry{}, errNoEntry
	}
	return e, nil
}

// clean makes every text one line of what can be printed, no longer than limit.
func (e Entry) clean(limit int) Entry {
	for _, id := range []*string{
		&e.ID, &e.Principal, &e.App, &e.Tenant, &e.Provider, &e.Subscription, &e.Method, &e.Request, &e.Correlation, &e.Code,
	} {
		*id = cut(*id, maxID)
	}
	for _, text := range []*string{&e.Command, &e.Machine, &e.Operator, &e.PrincipalName, &e.Operation, &e.Resource, &e.Trouble} {
		*text = cut(*text, limit)
	}
	targets := []string{}
	for _, t := range e.Targets[:min(len(e.Targets), maxTargets)] {
		targets = append(targets, cut(t, limit))
	}
	e.Targets, e.Time = targets, e.Time.UTC()
	return e
}

// cut is plain.Line whose ellipsis counts, so that a second cut changes nothing.
func cut(s string, limit int) string {
	if s = plain.Line(s, limit); len(s) <= limit {
		return s
	}
	return plain.Line(s[:limit-len("…")], limit) + "…"
}
