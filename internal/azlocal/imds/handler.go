package imds

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/throttle"
)

func versions() []string {
	return []string{"2017-04-02", "2017-08-01", "2017-12-01", "2018-02-01", "2018-10-01", "2019-02-01", "2019-03-11", "2019-04-30", "2019-06-01", "2019-06-04", "2019-08-01", "2019-08-15", "2019-11-01",
		"2020-06-01", "2020-07-15", "2020-09-01", "2020-10-01", "2020-12-01", "2021-01-01", "2021-02-01", "2021-03-01", "2021-05-01", "2021-10-01", "2021-11-01", "2021-11-15", "2021-12-13", "2023-07-01", "2023-11-15", "2024-03-15", "2024-07-17", "2025-04-07"}
}

// Handler serves the machine with one key.
type Handler struct {
	World   *fabric.World
	Issuer  *entra.Issuer
	Compute *compute.Provider
	Key     string
	Record  func(activity.Entry) // nil: nobody notes what was asked
	Meter   *throttle.Meter

	identities atomic.Int32 // requests for the identity under way
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
			entry.Principal = p.ObjectID
		}
	}
	record := func(e activity.Entry) {
		if h.Record != nil && (e.Fault != "" || strings.HasPrefix(strings.ToLower(r.URL.Path), "/metadata/identity/")) {
			h.Record(e)
		}
	}
	h.World.Faults.Guard(w, r, call, fault.Plain{Entry: entry, Record: record, Refuse: refuse, Next: h.serve})
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
	if refused := h.check(w, r, path); refused {
		return
	}
	machine := h.machine()
	switch {
	case path == "versions":
		write(w, http.StatusOK, doc.Object{"apiVersions": versions()})
	case machine == nil:
		write(w, http.StatusGone, doc.Object{"error": "The machine is gone"})
	case path == "instance" || strings.HasPrefix(path, "instance/"):
		h.instance(w, r, arm.Segments(r.URL.Path)[2:], machine)
	case path == "identity/oauth2/token":
		h.token(w, r, machine)
	case path == "identity/info":
		write(w, http.StatusOK, doc.Object{"tenantId": h.Issuer.Tenant})
	case path == "scheduledevents":
		h.events(w, r, machine)
	case path == "loadbalancer":
		write(w, http.StatusOK, h.loadBalancer(machine))
	default:
		write(w, http.StatusNotFound, doc.Object{"error": "Not found"})
	}
}

// check refuses what lacks what every request must have.
func (h *Handler) check(w http.ResponseWriter, r *http.Request, path string) bool {
	identity := strings.HasPrefix(path, "identity/")
	bad := func(plain, code, text string) bool {
		if identity {
			write(w, http.StatusBadRequest, doc.Object{"error": code, "error_description": text})
		} else {
			write(w, http.StatusBadRequest, doc.Object{"error": plain})
		}
		return true
	}
	query := r.URL.Query()
	switch {
	case r.Method != http.MethodGet && !(r.Method == http.MethodPost && path == "scheduledevents"):
		write(w, http.StatusMethodNotAllowed, doc.Object{"error": "Method not allowed"})
		return true
	case r.Header.Get("X-Forwarded-For") != "":
		return bad("Bad request. Request is forwarded", "invalid_request", "X-Forwarded-For is not allowed")
	case !strings.EqualFold(r.Header.Get("Metadata"), "true"):
		return bad("Bad request. Required metadata header not specified", "bad_request_102", "Required metadata header not specified")
	case path == "versions":
		return false
	}
	for _, values := range query {
		if len(values) > 1 {
			return bad("Bad request. Query parameter is repeated", "invalid_request", "A query parameter is repeated")
		}
	}
	if !known(query.Get("api-version"), path) {
		if identity {
			return bad("", "invalid_request", "api-version is missing or not supported")
		}
		write(w, http.StatusBadRequest, doc.Object{
			"error":           "Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds",
			"newest-versions": []string{"2025-04-07", "2024-07-17", "2024-03-15"}})
		return true
	}
	return false
}

func known(version, path string) bool {
	if path == "scheduledevents" {
		return slices.Contains([]string{"2017-08-01", "2017-11-01", "2019-01-01", "2019-04-01", "2019-08-01", "2020-07-01"}, version)
	}
	return slices.Contains(versions(), version)
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

// token answers a token of the machine's identity. ARM checks rights at each request, so a
// token from before a role assignment works after it.
func (h *Handler) token(w http.ResponseWriter, r *http.Request, d *fabric.Document) {
	resource := r.URL.Query().Get("resource")
	if resource == "" {
		write(w, http.StatusBadRequest, doc.Object{"error": "invalid_request", "error_description": "Required query variable 'resource' is missing"})
		return
	}
	p, ok := compute.Principal(d)
	q := r.URL.Query()
	other := q.Get("client_id") != "" && !strings.EqualFold(q.Get("client_id"), p.AppID) ||
		q.Get("object_id") != "" && !strings.EqualFold(q.Get("object_id"), p.ObjectID) || q.Get("msi_res_id") != ""
	if !ok || other {
		write(w, http.StatusBadRequest, doc.Object{"error": "invalid_request", "error_description": "Identity not found"})
		return
	}
	token, claims, err := h.Issuer.Sign(p, resource, d.ID, entra.MachineLifetime)
	if err != nil {
		write(w, http.StatusInternalServerError, doc.Object{"error": "unknown", "error_description": "Failed to retrieve a token"})
		return
	}
	left := fmt.Sprint(int(entra.MachineLifetime/time.Second) - 1)
	write(w, http.StatusOK, doc.Object{
		"access_token": token, "client_id": p.AppID, "expires_in": left, "ext_expires_in": left, "expires_on": fmt.Sprint(claims.Expires),
		"not_before": fmt.Sprint(claims.NotBefore), "resource": resource, "token_type": "Bearer",
	})
}

// instance answers a node of the metadata document: as JSON, or with format=text a leaf or
// the names below.
func (h *Handler) instance(w http.ResponseWriter, r *http.Request, path []string, d *fabric.Document) {
	var node any
	h.World.View(func(t *fabric.Tx) { node = instance(t, d) })
	for _, step := range path {
		m, _ := node.(doc.Object)
		found := false
		for k, v := range m {
			if strings.EqualFold(k, step) {
				node, found = v, true
				break
			}
		}
		if !found {
			write(w, http.StatusNotFound, doc.Object{"error": "Not found"})
			return
		}
	}
	leaf, isLeaf := node.(string)
	if strings.EqualFold(r.URL.Query().Get("format"), "text") {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if m, ok := node.(doc.Object); ok {
			leaf = directory(m)
		}
		_, _ = w.Write([]byte(leaf)) // the guest is gone when this fails
		return
	}
	if isLeaf {
		write(w, http.StatusBadRequest, doc.Object{"error": "Bad request. A leaf is only available with format=text"})
		return
	}
	write(w, http.StatusOK, node)
}

// directory lists names as text; those with more below end in a slash.
func directory(m doc.Object) string {
	var names []string
	for k, v := range m {
		if _, leaf := v.(string); !leaf {
			k += "/"
		}
		names = append(names, k)
	}
	sort.Strings(names)
	return strings.Join(names, "\n")
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the guest is gone when this fails
}
