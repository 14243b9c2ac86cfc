package fabric

import (
	"encoding/xml"
	"io"
	"net/http"
)

// WireHandler is the part of the wire server that a machine needs: it takes the report of
// its health, as Azure's does (cloud-init, sources/helpers/azure.py), and calls ready when
// that says so.
func WireHandler(ready func()) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /machine", func(w http.ResponseWriter, r *http.Request) {
		var report struct {
			State string `xml:"Container>RoleInstanceList>Role>Health>State"`
		}
		body := http.MaxBytesReader(w, r.Body, 64<<10)
		if r.URL.Query().Get("comp") != "health" {
			http.NotFound(w, r)
			return
		}
		if err := xml.NewDecoder(body).Decode(&report); err != nil {
			http.Error(w, "the report is no XML", http.StatusBadRequest)
			return
		}
		if report.State == "Ready" {
			ready()
		}
		_, _ = io.WriteString(w, "")
	})
	return mux
}
