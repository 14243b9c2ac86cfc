package front

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/rbac"
	"mngr/internal/azlocal/resources"
)

// maxBody is ARM's limit of a request.
const maxBody = 4 << 20

// Entry is one line of the activity log.
type Entry struct {
	Time        time.Time `json:"time"`
	Principal   string    `json:"principal,omitempty"` // object id
	Operation   string    `json:"operation"`           // the action asked for, or method and path
	Resource    string    `json:"resource,omitempty"`
	Method      string    `json:"method"`
	Status      int       `json:"status"`
	Code        string    `json:"code,omitempty"` // of an error
	Millis      float64   `json:"ms"`
	Correlation string    `json:"correlationId"`
}

// Handler serves ARM and Entra.
type Handler struct {
	World  *fabric.World
	Entra  *entra.Handler
	Log    *slog.Logger
	Record func(Entry)

	router arm.Router[fabric.Route]
}

// Add registers operations; the order decides between patterns that both match.
func (h *Handler) Add(routes ...fabric.Route) {
	for _, r := range routes {
		h.router.Add(r.Method, r.Pattern, r)
	}
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.Entra.Owns(r.URL.Path) {
		h.Entra.ServeHTTP(w, r)
		return
	}
	if h.serveMetadata(w, r) {
		return
	}
	entry := Entry{Time: h.World.Now().UTC(), Method: r.Method, Operation: r.Method + " " + r.URL.Path, Correlation: correlation(r)}
	resp, err := h.answer(r, &entry)
	if err != nil {
		resp = h.refusal(r, err, &entry)
	}
	entry.Status = resp.Status
	entry.Millis = float64(h.World.Now().Sub(entry.Time).Microseconds()) / 1000
	h.Record(entry)
	writeResponse(w, r, resp, entry.Correlation, h.World.Now())
}

func (h *Handler) answer(r *http.Request, entry *Entry) (*arm.Response, error) {
	principal, err := h.authenticate(r)
	if err != nil {
		return nil, err
	}
	entry.Principal = principal.ObjectID
	m, found, other := h.router.Find(r.Method, r.URL.Path)
	if !found {
		return nil, notFound(r, other)
	}
	if m.Target.Action != "" {
		entry.Operation = m.Target.Action
	}
	entry.Resource = m.ID
	version := r.URL.Query().Get("api-version")
	if err := resources.CheckVersion(m.ID, version); err != nil {
		return nil, err
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	req := &arm.Request{
		Method: r.Method, Path: r.URL.Path, ID: m.ID, Params: m.Params, Query: r.URL.Query(), Header: r.Header,
		Body: body, Origin: "https://" + r.Host, APIVersion: version, Principal: principal,
	}
	var resp *arm.Response
	err = h.World.Update(func(t *fabric.Tx) error {
		if err := authorize(t, m.Target, req); err != nil {
			return err
		}
		if err := resources.Gate(t, req); err != nil {
			return err
		}
		answered, err := m.Target.Handle(t, req)
		if err == nil && answered.Body != nil {
			// Encoded under the lock: bodies share memory with stored documents.
			var data []byte
			data, err = json.Marshal(answered.Body)
			answered.Body = json.RawMessage(data)
		}
		resp = answered
		return err
	})
	return resp, err
}

// authorize asks for the route's action at the request's id.
func authorize(t *fabric.Tx, route fabric.Route, r *arm.Request) error {
	if route.Action == "" {
		return nil
	}
	scope := r.ID
	if s, ok := r.Params["scope"]; ok {
		scope = s
	} else if route.Partial {
		scope = fabric.ScopeOf(r)
	}
	if rbac.Can(t, r.Principal, route.Action, scope) {
		return nil
	}
	if route.Partial && t.World().Switches.Is(fabric.ListWithGroupRights, "filtered") && rbac.CanBelow(t, r.Principal, route.Action, scope) {
		t.Restrict(func(id string) bool { return rbac.Can(t, r.Principal, route.Action, id) })
		return nil
	}
	return arm.Gatewayf(http.StatusForbidden, "AuthorizationFailed",
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		r.Principal.AppID, r.Principal.ObjectID, route.Action, scope)
}

func readBody(r *http.Request) (doc.Object, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodDelete {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, arm.Gatewayf(http.StatusBadRequest, "InvalidRequestContent", "The request content could not be read.")
	}
	switch {
	case len(data) > maxBody:
		return nil, arm.Gatewayf(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content size exceeds the maximum size of 4 MB.")
	case len(data) == 0:
		return nil, nil
	}
	body, err := doc.Parse(data)
	if err != nil {
		return nil, arm.Gatewayf(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: '%s'.", err)
	}
	return body, nil
}

func notFound(r *http.Request, otherMethod bool) error {
	if otherMethod {
		return arm.Gatewayf(http.StatusMethodNotAllowed, "HttpMethodNotSupported", "The http method '%s' is not supported for this request.", r.Method)
	}
	p := arm.ParseID(r.URL.Path)
	if p.Namespace != "" {
		if err := resources.CheckVersion("/providers/"+p.Namespace+"/x/y", r.URL.Query().Get("api-version")); err != nil {
			return err
		}
		return arm.Gatewayf(http.StatusNotFound, "InvalidResourceType",
			"The resource type could not be found in the namespace '%s' for api version '%s'.", p.Namespace, r.URL.Query().Get("api-version"))
	}
	return arm.Gatewayf(http.StatusNotFound, "NotFound", "The path '%s' is not served.", r.URL.Path)
}

// refusal turns an error into an answer. What is no refusal is a fault of this server: the
// cause goes to its log only.
func (h *Handler) refusal(r *http.Request, err error, entry *Entry) *arm.Response {
	var e *arm.Error
	if !errors.As(err, &e) {
		h.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "cause", err)
		e = arm.Gatewayf(http.StatusInternalServerError, "InternalServerError", "Encountered internal server error. The tracking id is '%s'.", entry.Correlation)
	}
	entry.Code = e.Code
	resp := arm.Reply(e.Status, map[string]any{"error": e})
	for name, values := range e.Header {
		resp.Set(name, values[0])
	}
	cause := "service"
	if e.Gateway {
		cause = "gateway"
	}
	return resp.Set("x-ms-failure-cause", cause)
}

func correlation(r *http.Request) string {
	if id := r.Header.Get("x-ms-correlation-request-id"); uuid.Validate(id) == nil {
		return id
	}
	return uuid.NewString()
}
