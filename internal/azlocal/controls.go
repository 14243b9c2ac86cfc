package azlocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

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
	d.serveReady(mux, "POST /machines/{vm}/{act}", (*Server).control)
	d.serveReady(mux, "GET /bill", (*Server).report)
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

// readStrictly refuses what it does not know: a fault with a slip of the pen in a key
// would hit too much.
func readStrictly[T any](r *http.Request) (v T, err error) {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("read the body: %w", err)
	}
	return v, nil
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
	st, err := still(d.inst)
	st.Running, st.PID, st.Phase, st.Failure, st.Ready = true, os.Getpid(), d.phase, d.failed, server != nil
	st.DriverNote = note(d.about, d.inst.DriverWhy)
	d.mu.Unlock()
	if err != nil && st.Failure == "" {
		st.Failure = err.Error()
	}
	if server != nil {
		server.describe(&st)
	}
	return st
}

// describe fills in what only a server that is up knows.
func (s *Server) describe(st *Status) {
	st.Switches, st.Settings = s.world.Switches.All(), s.world.Settings.All()
	for _, f := range s.world.Faults.List() {
		st.Faults.Added++
		st.Faults.Hits += f.Hits
		if f.Active(s.world.Now()) {
			st.Faults.Active++
		}
		if f.Hits == 0 {
			st.Faults.Unhit++
		}
	}
	s.world.View(func(t *fabric.Tx) {
		st.VMs, st.Billed = compute.Status(t), compute.Bill(t)
		report := s.books.Report(time.Time{})
		st.Cost = cost{PerHour: report.PerHour, SoFar: report.USD, Hours: report.Unknown}
	})
	for _, c := range st.Billed {
		if c.PerHour == nil {
			st.Cost.Unknown++
		}
	}
}
