package azlocal

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
)

// controls are the requests of the control socket.
func (d *daemon) controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { respond(w, d.status(), nil) })
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, r *http.Request) {
		request, err := read[stopRequest](r)
		if err == nil {
			select {
			case d.stop <- request:
			default: // it is ending already
			}
		}
		respond(w, nil, err)
	})
	d.serveReady(mux, "POST /switch", func(s *Server, r *http.Request) (any, error) {
		answers, err := read[map[string]string](r)
		for name, answer := range answers {
			if err := s.world.Switches.Choose(name, answer); err != nil {
				return nil, err
			}
		}
		return nil, err
	})
	d.serveReady(mux, "GET /faults", (*Server).listFaults)
	d.serveReady(mux, "POST /faults", (*Server).addFault)
	d.serveReady(mux, "DELETE /faults", (*Server).clearFaults)
	d.serveReady(mux, "DELETE /faults/{id}", (*Server).removeFault)
	d.serveReady(mux, "GET /principals", (*Server).listPrincipals)
	d.serveReady(mux, "POST /principals", (*Server).addPrincipal)
	d.serveReady(mux, "POST /principals/{name}/{act}", (*Server).changePrincipal)
	d.serveReady(mux, "POST /evict", (*Server).evict)
	d.serveReady(mux, "GET /settings", (*Server).listSettings)
	d.serveReady(mux, "POST /settings", (*Server).chooseSettings)
	return mux
}

// serveReady registers a control that needs a server which is up.
func (d *daemon) serveReady(mux *http.ServeMux, pattern string, f func(*Server, *http.Request) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		server := d.server
		d.mu.Unlock()
		if server == nil {
			respond(w, nil, errors.New("the local Azure is not ready yet"))
			return
		}
		out, err := f(server, r)
		respond(w, out, err)
	})
}

func read[T any](r *http.Request) (v T, err error) {
	err = json.NewDecoder(r.Body).Decode(&v)
	return v, err
}

func respond(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(v) // the asker is gone when this fails
}

func (d *daemon) status() Status {
	d.mu.Lock()
	server := d.server
	st := Status{Client: d.inst.Client(), Running: true, PID: os.Getpid(), Phase: d.phase, Failure: d.failed,
		Ready: server != nil, Profile: d.inst.Profile, VMs: []compute.VMStatus{}, Billed: []compute.Charge{}}
	d.mu.Unlock()
	if server != nil {
		st.Switches = server.world.Switches.All()
		server.world.View(func(t *fabric.Tx) { st.VMs, st.Billed = compute.Status(t), compute.Bill(t) })
	}
	return st
}
