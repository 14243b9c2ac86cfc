package fault

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
)

// Kind is what happens to a request that a rule hits.
type Kind string

// The kinds of trouble.
const (
	Refuse      Kind = "status"          // answered with an error at once
	Throttle    Kind = "throttle"        // answered with compute's own 429, which has no envelope
	Fail        Kind = "operation-fails" // accepted; the operation ends in Failed. Without one, refused
	NeverFinish Kind = "never-finish"    // accepted; the operation stays in progress. Without one, the answer never comes
	Delay       Kind = "delay"           // served late
	HoldBefore  Kind = "hold-before"     // waits until the fault is removed; when the client goes before that, nothing is done
	HoldAfter   Kind = "hold-after"      // everything is done; the answer waits until the fault is removed
	DropBefore  Kind = "drop-before"     // the connection is cut, nothing is done
	DropAfter   Kind = "drop-after"      // everything is done, then the connection is cut
	DropDuring  Kind = "drop-during"     // everything is done; the connection is cut half-way through the answer
	InvalidJSON Kind = "invalid-json"    // everything is done; the answer's body breaks off and is no JSON

	// What befalls the machine that a call concerns, when the call's work is done: at the
	// end of its operation, where it begins one.
	KillMachine  Kind = "kill-machine" // its power is cut
	HangSSH      Kind = "hang-sshd"    // its sshd stand still: connections open and nobody answers
	EvictMachine Kind = "evict"        // a Spot machine's capacity is taken back

	// What befalls a connection to a machine's public address.
	RefuseConnection Kind = "refuse" // it is reset before a byte has passed
	CutConnection    Kind = "cut"    // both ends of it are reset
	HangConnection   Kind = "hang"   // it stays open and nothing passes any more, until the rule is gone
)

// Rule says which requests meet which trouble.
type Rule struct {
	ID       string            `json:"id"`
	On       string            `json:"on"`                 // wildcard on the operation's name
	Resource string            `json:"resource,omitempty"` // wildcard on the ARM id
	Match    map[string]string `json:"match,omitempty"`    // wildcards on the body, by dotted path
	Nth      int               `json:"nth"`                // the first matching call that is hit, from 1
	Times    int               `json:"times"`              // how many calls are hit; 0: without end
	For      float64           `json:"for_seconds"`        // how long it lasts from Added on; 0: without end
	Chance   float64           `json:"chance,omitempty"`   // that a call from the nth on is hit; 0: all are
	Seed     uint64            `json:"seed,omitempty"`     // decides, with the number of the call, which are
	Parts    bool              `json:"parts,omitempty"`    // only deletions of parts that go with a machine or a group
	Added    time.Time         `json:"added_at"`

	Effect     Kind    `json:"effect"`
	Status     int     `json:"status,omitempty"`
	Code       string  `json:"code,omitempty"`
	Message    string  `json:"message,omitempty"`
	RetryAfter int     `json:"retry_after_seconds,omitempty"`
	Wait       float64 `json:"delay_seconds,omitempty"`
	HTML       bool    `json:"html,omitempty"` // a refusal is a gateway's page, no JSON

	After int64 `json:"after_bytes,omitempty"` // how much passes before a connection is cut or hangs, both ways together
	Now   bool  `json:"now,omitempty"`         // connections that are open are calls too, and count first

	Seen int `json:"seen"` // calls that matched
	Hits int `json:"hits"` // calls that were hit
}

// Names of what is no ARM operation.
const (
	EntraToken = "entra:token"
	IMDSPrefix = "imds:" // then the path
	TCPPrefix  = "tcp:"  // then the port of a machine's public address
)

var errorCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]*$`)

// Check refuses a rule that makes no sense, and fills in what was left out.
func (r *Rule) Check() error {
	if r.On == "" {
		return fmt.Errorf("a fault needs an operation")
	}
	if r.Nth < 0 || r.Times < 0 || r.For < 0 || r.Wait < 0 || r.RetryAfter < 0 {
		return fmt.Errorf("counts and times of a fault cannot be negative")
	}
	if r.Chance < 0 || r.Chance > 1 {
		return fmt.Errorf("a chance lies between 0 and 1")
	}
	if r.Nth == 0 {
		r.Nth = 1
	}
	if r.Code != "" && !errorCode.MatchString(r.Code) {
		return fmt.Errorf("%q is no error code", r.Code)
	}
	if r.HTML && r.Effect != Refuse {
		return fmt.Errorf("only a refusal can be a page")
	}
	if r.connection() {
		return r.checkConnection()
	}
	if r.After != 0 || r.Now {
		return fmt.Errorf("only a connection, such as %s22, meets a fault after some bytes or while it is open", TCPPrefix)
	}
	return r.checkEffect()
}

func (r *Rule) checkEffect() error {
	switch r.Effect {
	case Refuse:
		if r.Status < 400 || r.Status > 599 {
			return fmt.Errorf("the status %d is no refusal; one from 400 to 599 is", r.Status)
		}
	case Throttle:
		if r.plain() {
			return fmt.Errorf("only Microsoft.Compute throttles so; take status 429 for %s", r.On)
		}
	case Fail:
		if r.plain() {
			return fmt.Errorf("%s starts no operation that could fail; take a status", r.On)
		}
		if r.Code == "" {
			return fmt.Errorf("an operation fails with a code")
		}
	case Delay:
		if r.Wait == 0 {
			return fmt.Errorf("a delay needs a time")
		}
	case KillMachine, HangSSH, EvictMachine:
		if strings.HasPrefix(strings.ToLower(r.On), "entra:") {
			return fmt.Errorf("%s concerns no machine", r.On)
		}
	case HoldBefore, HoldAfter, DropBefore, DropAfter, DropDuring, InvalidJSON, NeverFinish:
	case RefuseConnection, CutConnection, HangConnection:
		return fmt.Errorf("only a connection, such as %s22, can be made to %s", TCPPrefix, r.Effect)
	default:
		return fmt.Errorf("there is no effect %q", r.Effect)
	}
	return nil
}

// plain tells whether the rule is about Entra or IMDS only.
func (r *Rule) plain() bool {
	on := strings.ToLower(r.On)
	return strings.HasPrefix(on, "entra:") || strings.HasPrefix(on, IMDSPrefix)
}

// can tells whether a call can meet the rule's trouble: what nobody sent has no answer,
// and Entra knows no machines.
func (r *Rule) can(c Call) bool {
	if r.connection() != c.connection() {
		return false
	}
	switch r.Effect {
	case HoldBefore, HoldAfter, DropBefore, DropAfter, DropDuring, InvalidJSON:
		return !c.Part
	case KillMachine, HangSSH, EvictMachine:
		return !c.Part && c.Operation != EntraToken
	}
	return true
}

// draws tells whether chance hits the call that was just counted. The same seed gives the
// same answers, also over a restart.
func (r *Rule) draws() bool {
	return r.Chance == 0 || rand.New(rand.NewPCG(r.Seed, uint64(r.Seen))).Float64() < r.Chance
}

// Active tells whether the rule can still hit.
func (r *Rule) Active(now time.Time) bool {
	spent := r.Times > 0 && r.Hits >= r.Times
	late := r.For > 0 && now.Sub(r.Added).Seconds() >= r.For
	return !spent && !late
}

// Describe is the effect in one phrase.
func (r *Rule) Describe() string {
	var parts []string
	switch r.Effect {
	case Refuse:
		parts = append(parts, fmt.Sprintf("%d %s", r.Status, r.Code))
	case Fail:
		parts = append(parts, "operation fails: "+r.Code)
	case Delay:
		parts = append(parts, "delay "+seconds(r.Wait).String())
	default:
		parts = append(parts, strings.ReplaceAll(string(r.Effect), "-", " "))
	}
	if r.Now {
		parts = append(parts, "at once")
	}
	if r.After > 0 {
		parts = append(parts, fmt.Sprintf("after %d bytes", r.After))
	}
	if r.HTML {
		parts = append(parts, "as a page")
	}
	if r.Chance > 0 {
		parts = append(parts, fmt.Sprintf("chance %g, seed %d", r.Chance, r.Seed))
	}
	if r.RetryAfter > 0 {
		parts = append(parts, fmt.Sprintf("retry after %d s", r.RetryAfter))
	}
	return strings.TrimSpace(strings.Join(parts, ", "))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// defaultCode is the code that goes with a status.
func defaultCode(status int) string {
	codes := map[int]string{
		http.StatusUnauthorized: "AuthenticationFailed", http.StatusForbidden: "AuthorizationFailed", http.StatusNotFound: "ResourceNotFound",
		http.StatusConflict: "Conflict", http.StatusPreconditionFailed: "PreconditionFailed", http.StatusTooManyRequests: "TooManyRequests",
		http.StatusInternalServerError: "InternalServerError", http.StatusBadGateway: "BadGateway",
		http.StatusServiceUnavailable: "ServiceUnavailable", http.StatusGatewayTimeout: "GatewayTimeout",
	}
	if code := codes[status]; code != "" {
		return code
	}
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

// matches tells whether a rule is about a call.
func (r *Rule) matches(c Call) bool {
	if r.Parts && !c.Part || !r.can(c) {
		return false
	}
	if !arm.Wildcard(r.On, c.Operation) || r.Resource != "" && !arm.Wildcard(r.Resource, c.Resource) {
		return false
	}
	for path, want := range r.Match {
		got, ok := c.field(path)
		if !ok || !arm.Wildcard(want, got) {
			return false
		}
	}
	return true
}
