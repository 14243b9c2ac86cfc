package imds

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// events shows what is going to happen to the machine, and takes its consent.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, d *fabric.Document) {
	if r.Method == http.MethodPost {
		h.approve(w, r, d)
		return
	}
	var shown doc.Object
	err := h.World.Update(func(t *fabric.Tx) error {
		shown = compute.ScheduledEvents(t, d.ID)
		return nil
	})
	if err != nil {
		write(w, http.StatusInternalServerError, doc.Object{"error": "Internal server error"})
		return
	}
	write(w, http.StatusOK, shown)
}

// approve starts the events that a guest names: {"StartRequests":[{"EventId":"…"}]}.
func (h *Handler) approve(w http.ResponseWriter, r *http.Request, d *fabric.Document) {
	var body struct {
		StartRequests []struct{ EventID string }
	}
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&body)
	var ids []string
	for _, s := range body.StartRequests {
		ids = append(ids, s.EventID)
	}
	if err == nil {
		err = h.World.Update(func(t *fabric.Tx) error { return h.Compute.StartEvents(t, d.ID, ids) })
	}
	if refused, ok := errors.AsType[*arm.Error](err); ok {
		write(w, http.StatusBadRequest, doc.Object{"error": "Bad request. " + refused.Message})
		return
	}
	if err != nil {
		write(w, http.StatusBadRequest, doc.Object{"error": "Bad request. The body is no approval of events"})
		return
	}
	w.WriteHeader(http.StatusOK)
}
