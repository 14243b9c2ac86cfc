package front

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
)

// writeResponse sends an answer with the headers of every answer of ARM (recorded). rates
// is what is left of the limits that the request has spent.
func writeResponse(w http.ResponseWriter, r *http.Request, resp *arm.Response, correlation string, rates http.Header, now time.Time) {
	head, requestID := w.Header(), uuid.NewString()
	head.Set("Cache-Control", "no-cache")
	head.Set("Pragma", "no-cache")
	head.Set("Expires", "-1")
	head.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Cache", "CONFIG_NOCACHE")
	head.Set("x-ms-request-id", requestID)
	head.Set("x-ms-correlation-request-id", correlation)
	head.Set("x-ms-routing-request-id", "LOCAL:"+now.UTC().Format("20060102T150405Z")+":"+requestID)
	if id := r.Header.Get("x-ms-client-request-id"); id != "" && strings.EqualFold(r.Header.Get("x-ms-return-client-request-id"), "true") {
		head.Set("x-ms-client-request-id", id)
	}
	if strings.Contains(strings.ToLower(r.URL.Path), "/providers/microsoft.network/") {
		head.Set("x-ms-arm-service-request-id", uuid.NewString())
	}
	maps.Copy(head, rates)
	maps.Copy(head, resp.Header)
	if resp.Body == nil {
		w.WriteHeader(resp.Status)
		return
	}
	head.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(resp.Status)
	if data, ok := resp.Body.(json.RawMessage); ok { // encoded already
		_, _ = w.Write(data)
		return
	}
	_ = json.NewEncoder(w).Encode(resp.Body) // the client is gone when this fails
}
