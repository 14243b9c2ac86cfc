package front

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
)

// write sends an answer that a provider made, with the headers of every answer of ARM
// (recorded). rates is what is left of the limits that the request has spent.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, resp *arm.Response, provider string, entry activity.Entry, rates http.Header) {
	head := w.Header()
	commonHeaders(head, r, entry, h.World.Now())
	if provider == networkProvider {
		head.Set("x-ms-arm-service-request-id", uuid.NewString())
	}
	maps.Copy(head, rates)
	maps.Copy(head, resp.Header)
	if resp.Body == nil {
		w.WriteHeader(resp.Status)
		return
	}
	data, err := encode(resp.Body)
	if err != nil {
		h.Log.Error("an answer was not written", "path", r.URL.Path, "cause", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	data = layout(data, provider)
	head.Set("Content-Type", "application/json; charset=utf-8")
	head.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(resp.Status)
	_, _ = w.Write(data) //nolint:gosec // JSON, and said so; the client is gone when this fails
}

func commonHeaders(head http.Header, r *http.Request, entry activity.Entry, now time.Time) {
	requestID := entry.Request
	head.Set("Cache-Control", "no-cache")
	head.Set("Pragma", "no-cache")
	head.Set("Expires", "-1")
	head.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Cache", "CONFIG_NOCACHE")
	head.Set("X-MSEdge-Ref", "Ref A: "+strings.ToUpper(strings.ReplaceAll(requestID, "-", ""))+" Ref B: LOCAL Ref C: "+now.UTC().Format(time.RFC3339))
	head.Set("x-ms-request-id", requestID)
	head.Set("x-ms-correlation-request-id", entry.Correlation)
	head.Set("x-ms-routing-request-id", "LOCAL:"+now.UTC().Format("20060102T150405Z")+":"+requestID)
	if id := r.Header.Get("x-ms-client-request-id"); id != "" && strings.EqualFold(r.Header.Get("x-ms-return-client-request-id"), "true") {
		head.Set("x-ms-client-request-id", id)
	}
}
