package entra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fault"
)

// Handler serves the token endpoints of one tenant.
type Handler struct {
	Issuer   *Issuer
	Apps     *Directory
	Lifetime func() time.Duration // of a token for a client secret
	Faults   *fault.Book
	Record   func(activity.Entry)
}

// call is a path of an authority taken apart.
type call struct {
	tenant string
	adfs   bool   // the authority of older command lines, with other paths and answers
	v2     bool   // the second version of the protocol
	what   string // what is asked for
}

// Owns tells whether a request is for Entra and not for ARM: the two share an origin.
func (h *Handler) Owns(path string) bool {
	seg := arm.Segments(path)
	if len(seg) < 2 || slices.Contains([]string{"subscriptions", "providers", "tenants", "metadata"}, strings.ToLower(seg[0])) {
		return false
	}
	_, act := h.parse(seg)
	return act != nil
}

// ServeHTTP answers discovery and token requests.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, act := h.parse(arm.Segments(r.URL.Path))
	if act == nil {
		http.NotFound(w, r)
		return
	}
	act(w, r, c)
}

// parse picks what serves a path: "{tenant}/…", "adfs/…" or "adfs/{tenant}/…".
func (h *Handler) parse(seg []string) (call, func(http.ResponseWriter, *http.Request, call)) {
	if len(seg) < 2 {
		return call{}, nil
	}
	c, rest := call{tenant: seg[0], adfs: strings.EqualFold(seg[0], "adfs")}, seg[1:]
	if c.adfs && h.checkTenant(rest[0]) == nil {
		c.tenant, rest = rest[0], rest[1:]
	}
	c.what = strings.ToLower(strings.Join(rest, "/"))
	c.v2 = strings.Contains(c.what, "v2.0/")
	switch strings.Replace(c.what, "v2.0/", "", 1) {
	case ".well-known/openid-configuration":
		return c, h.discover
	case "oauth2/token":
		return c, h.guarded
	case "discovery/keys":
		return c, h.keys
	case "discovery/instance":
		return c, h.instance
	case "oauth2/authorize", "oauth2/devicecode":
		return c, h.noUsers
	}
	return c, nil
}

// checkTenant refuses a tenant that is not this one.
func (h *Handler) checkTenant(name string) *refusal {
	switch strings.ToLower(name) {
	case strings.ToLower(h.Issuer.Tenant), "common", "organizations", "adfs":
		return nil
	}
	if uuid.Validate(name) != nil && !strings.Contains(name, ".") {
		return &refusal{http.StatusBadRequest, "invalid_request", 900023, fmt.Sprintf("Specified tenant identifier '%s' is neither a valid DNS name, nor a valid external domain.", name)}
	}
	return &refusal{http.StatusBadRequest, "invalid_request", 90002, fmt.Sprintf(
		"Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", name)}
}

// noUsers answers what begins the login of a person.
func (h *Handler) noUsers(w http.ResponseWriter, _ *http.Request, _ call) {
	h.refuse(w, refusal{http.StatusBadRequest, "unauthorized_client", 50034, fmt.Sprintf(
		"There are no user accounts in the directory '%s'. Sign in with a service principal.", h.Issuer.Tenant)})
}

// refusal is an error of Entra: a code for programs, AADSTS and a number for people.
type refusal struct {
	status int
	code   string
	number int
	text   string
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("AADSTS%d: %s", r.number, r.text) }

func (h *Handler) refuse(w http.ResponseWriter, r refusal) {
	trace, correlation := uuid.NewString(), uuid.NewString()
	now := h.Issuer.Now().UTC().Format("2006-01-02 15:04:05Z")
	h.write(w, r.status, map[string]any{
		"error":             r.code,
		"error_description": fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", r.Error(), trace, correlation, now),
		"error_codes":       []int{r.number}, "timestamp": now, "trace_id": trace, "correlation_id": correlation,
		"error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", r.number),
	})
}

func (h *Handler) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("Pragma", "no-cache")
	w.Header().Set("x-ms-request-id", uuid.NewString())
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone when this fails
}
