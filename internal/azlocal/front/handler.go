package front

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/graph"
	"mngr/internal/azlocal/rbac"
	"mngr/internal/azlocal/resources"
	"mngr/internal/azlocal/throttle"
)

// Handler serves ARM, Entra and Graph.
type Handler struct {
	World  *fabric.World
	Entra  *entra.Handler
	Graph  *graph.Handler
	Log    *slog.Logger
	Record func(activity.Entry)
	Meter  *throttle.Meter // counts requests
	// Login is where a client that has come to host logs in; nil: at the same place.
	Login func(host string) string

	router arm.Router[fabric.Route]
}

// Names lists the operations by the names that the activity log uses.
func (h *Handler) Names() []string {
	var out []string
	for route := range h.router.All() {
		if route.Action != "" && !slices.Contains(out, route.Action) {
			out = append(out, route.Action)
		}
	}
	slices.Sort(out)
	return out
}

// Patterns lists the paths that a method is served at, as fabric.Route spells them.
func (h *Handler) Patterns(method string) []string {
	var out []string
	for route := range h.router.All() {
		if route.Method == method {
			out = append(out, route.Pattern)
		}
	}
	return out
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
	if h.Graph.Owns(r.URL.Path) {
		h.Graph.ServeHTTP(w, r)
		return
	}
	if h.serveMetadata(w, r) {
		return
	}
	entry := begin(r, h.World.Now())
	rates := http.Header{}
	resp, hit, err := h.answer(r, &entry, rates)
	if errors.Is(err, errCut) {
		entry.Code = "ConnectionCut"
	} else if err != nil {
		resp = h.refusal(r, err, &entry)
	}
	if resp != nil {
		entry.Status = resp.Status
	}
	entry.Millis = float64(h.World.Now().Sub(entry.Time).Microseconds()) / 1000
	h.Record(entry)
	if errors.Is(err, errCut) {
		panic(http.ErrAbortHandler)
	}
	hit.Deliver(w, func(w http.ResponseWriter) {
		h.write(w, r, resp, maker(entry.Resource, err), entry, rates)
	})
}

// errCut says that the connection ends without an answer.
var errCut = errors.New("the connection is cut")

// answer serves one request. With errCut the response tells what was done.
func (h *Handler) answer(r *http.Request, entry *activity.Entry, rates http.Header) (*arm.Response, *fault.Hit, error) {
	req, route, err := h.parse(r, entry, rates)
	if err != nil {
		return nil, nil, err
	}
	hit := h.World.Faults.Take(fault.Call{Operation: entry.Operation, Resource: req.ID, Body: req.Body})
	entry.Fault = hit.ID()
	resp, err := h.serve(r, req, route, hit, entry, rates)
	if refused, ok := errors.AsType[*arm.Error](err); ok && route.Refused != nil {
		err = errors.Join(h.World.Update(func(t *fabric.Tx) error { route.Refused(t, req, refused); return nil }), err)
	}
	return resp, hit, err
}

// parse is everything that comes before the request means something.
func (h *Handler) parse(r *http.Request, entry *activity.Entry, rates http.Header) (*arm.Request, fabric.Route, error) {
	principal, err := h.authenticate(r)
	if err != nil {
		return nil, fabric.Route{}, err
	}
	entry.Principal = principal.ObjectID
	m, absent := h.find(r)
	if m.Target.Action != "" {
		entry.Operation = m.Target.Action
	}
	entry.Resource = m.ID
	if err := h.countByARM(principal, r, rates); err != nil {
		return nil, fabric.Route{}, err
	}
	if absent != nil {
		return nil, fabric.Route{}, absent
	}
	req, err := h.read(r, m)
	if err != nil {
		return nil, fabric.Route{}, err
	}
	req.Principal = principal
	return req, m.Target, nil
}

// serve does what a request asks for, in the way that the fault it met allows.
func (h *Handler) serve(r *http.Request, req *arm.Request, route fabric.Route, hit *fault.Hit, entry *activity.Entry, rates http.Header) (*arm.Response, error) {
	if hit.Is(fault.Refuse, fault.Throttle) {
		return nil, hit.Refusal()
	}
	if hit.Is(fault.DropBefore) {
		return nil, errCut
	}
	if err := hit.Pause(h.World.Context()); err != nil {
		return nil, err
	}
	if hit.Hold(r.Context(), fault.HoldBefore) != nil {
		return nil, errCut
	}
	resp, fated, err := h.work(req, route, hit, entry, rates)
	switch {
	case hit.Hold(r.Context(), fault.HoldAfter) != nil:
		return resp, errCut
	case err != nil:
		return resp, err
	case hit.Is(fault.DropAfter):
		return resp, errCut
	case hit.Acts() && !fated:
		h.World.Befall(hit.Rule.Effect, req.ID, hit.ID())
	case hit.Is(fault.NeverFinish) && !fated:
		<-r.Context().Done()
		return resp, errCut
	}
	return resp, nil
}

// work serves a request as one transaction. fated tells whether it began an operation that
// took over the fate of a fault.
func (h *Handler) work(req *arm.Request, route fabric.Route, hit *fault.Hit, entry *activity.Entry, rates http.Header) (resp *arm.Response, fated bool, err error) {
	err = h.World.Update(func(t *fabric.Tx) error {
		if err := resources.Enter(t, req); err != nil {
			return err
		}
		if err := authorize(t, route, req); err != nil {
			return err
		}
		if err := resources.Gate(t, req); err != nil {
			return err
		}
		if err := h.countByProvider(t, req, route.Action, rates); err != nil {
			return err
		}
		t.Doom(hit)
		t.Because(fabric.Cause{Action: entry.Operation, Correlation: entry.Correlation, Fault: entry.Fault})
		answered, err := route.Handle(t, req)
		if err != nil {
			return err
		}
		entry.ID = t.Begun()
		if fated = t.Fated(); !fated && hit.Is(fault.Fail) {
			return hit.Refusal() // no operation could fail in the request's place
		}
		resp = answered
		return nil
	})
	if err != nil || resp.Body == nil {
		return resp, fated, err
	}
	// Stored documents, which the body may share, never change: encoding needs no lock.
	data, err := encode(resp.Body)
	resp.Body = data
	return resp, fated, err
}

// authorize asks for the route's action at the request's id, and for what it takes at the
// resources that the body names.
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
	scope = cmp.Or(scope, "/")
	err := rbac.AuthorizeRequest(t, r, route.Action, scope)
	if err == nil {
		return rbac.AuthorizeLinked(t, r, route.Action)
	}
	if route.Partial && t.World().Switches.Is(fabric.ListWithGroupRights, "filtered") && rbac.CanBelow(t, r.Principal, route.Action, scope) {
		t.Restrict(func(id string) bool { return rbac.Can(t, r.Principal, route.Action, id) })
		return nil
	}
	return err
}

// refusal turns an error into an answer. What is no refusal is a fault of this server: the
// cause goes to its log only.
func (h *Handler) refusal(r *http.Request, err error, entry *activity.Entry) *arm.Response {
	var e *arm.Error
	if !errors.As(err, &e) {
		h.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "cause", err)
		e = arm.Gatewayf(http.StatusInternalServerError, "InternalServerError", "Encountered internal server error. The tracking id is '%s'.", entry.Correlation)
	}
	entry.Code = e.Code
	resp := arm.Reply(e.Status, envelope(e, maker(entry.Resource, e)))
	for name, values := range e.Header {
		resp.Set(name, values[0])
	}
	cause := "service"
	if e.Gateway {
		cause = "gateway"
	}
	return resp.Set("x-ms-failure-cause", cause)
}

// begin is the log's entry for a request of which nothing is known yet but its ids.
func begin(r *http.Request, now time.Time) activity.Entry {
	return activity.Entry{
		Time: now.UTC(), Method: r.Method, Operation: r.Method + " " + r.URL.Path, Path: r.URL.RequestURI(),
		Correlation: correlation(r), Request: uuid.NewString(), Client: clientRequest(r),
	}
}

// clientRequest is the client's own id of a request, of no more than the length of a GUID
// in braces.
func clientRequest(r *http.Request) string {
	id := r.Header.Get("x-ms-client-request-id")
	return id[:min(len(id), 38)]
}

func correlation(r *http.Request) string {
	if id := r.Header.Get("x-ms-correlation-request-id"); uuid.Validate(id) == nil {
		return id
	}
	return uuid.NewString()
}
