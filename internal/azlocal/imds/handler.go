package imds

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/throttle"
)

// Handler serves the machine with one key.
type Handler struct {
	World   *fabric.World
	Issuer  *entra.Issuer
	Compute *compute.Provider
	Key     string
	Record  func(activity.Entry) // nil: nobody notes what was asked
	Meter   *throttle.Meter

	identities atomic.Int32 // requests for the identity under way
	tokens     tokens
}

// ServeHTTP answers one request in the way that faults allow. Requests of the identity are
// logged, and those that met a fault; the others are too many.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := fault.Call{Operation: fault.IMDSPrefix + r.URL.Path, Body: doc.Object{}}
	for name := range r.URL.Query() {
		call.Body[name] = r.URL.Query().Get(name)
	}
	entry := activity.Entry{Time: h.World.Now().UTC(), Operation: call.Operation, Method: r.Method}
	if machine := h.machine(); machine != nil {
		call.Resource, entry.Resource = machine.ID, machine.ID
		if p, ok := compute.Principal(machine); ok {
			entry.Principal, entry.Name = p.ObjectID, arm.Name(machine.ID)
		}
	}
	record := func(e activity.Entry) {
		if h.Record != nil && (e.Fault != "" || strings.HasPrefix(strings.ToLower(r.URL.Path), "/metadata/identity/")) {
			h.Record(e)
		}
	}
	h.World.Faults.Guard(w, r, call, fault.Plain{Entry: entry, Record: record, Refuse: refuse, Next: h.serve, Act: func(hit *fault.Hit) {
		h.World.Befall(hit.Rule.Effect, call.Resource, hit.ID())
	}})
}

// refuse is a refusal by a fault. What the real service says with most of its statuses is
// not documented.
func refuse(w http.ResponseWriter, e *arm.Error) {
	write(w, e.Status, doc.Object{"error": e.Code, "error_description": e.Message})
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	seg := arm.Segments(strings.ToLower(r.URL.Path))
	if len(seg) == 0 || seg[0] != "metadata" {
		write(w, http.StatusNotFound, doc.Object{"error": "Not found"})
		return
	}
	path := strings.Join(seg[1:], "/")
	leave, ok := h.admit(w, strings.HasPrefix(path, "identity/"))
	defer leave()
	if !ok {
		return
	}
	if check(w, r, path) {
		return
	}
	machine := h.machine()
	switch {
	case path == "versions":
		write(w, http.StatusOK, doc.Object{"apiVersions": versions()})
	case machine == nil:
		write(w, http.StatusGone, doc.Object{"error": "The machine is gone"})
	case path == "identity/oauth2/token":
		h.token(w, r, machine)
	case path == "identity/info":
		write(w, http.StatusOK, doc.Object{"tenantId": h.Issuer.Tenant})
	case path == "scheduledevents":
		h.events(w, r, machine)
	case path == "loadbalancer":
		write(w, http.StatusOK, h.loadBalancer(machine))
	default:
		h.instance(w, r, machine)
	}
}

func (h *Handler) machine() *fabric.Document {
	var d *fabric.Document
	h.World.View(func(t *fabric.Tx) {
		if found := compute.ByKey(t, h.Key); found != nil {
			d = t.Get(found.ID)
		}
	})
	return d
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the guest is gone when this fails
}
