package retail

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fault"
)

// path of the API below its host.
const path = "/api/retail/prices"

// pageSize is how many prices an answer has (documentation: "Azure Retail Prices overview").
const pageSize = 100

// caseSensitive is the version from which on filters tell upper from lower case (same page).
const caseSensitive = "2023-01-01-preview"

// Handler answers questions for prices.
type Handler struct {
	Now    func() time.Time
	Faults *fault.Book
	Record func(activity.Entry)
}

// Owns tells whether a request is for prices.
func (h *Handler) Owns(p string) bool { return strings.EqualFold(strings.TrimSuffix(p, "/"), path) }

// ServeHTTP answers one request in the way that faults allow.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := fault.Call{Operation: fault.RetailPrices, Body: doc.Object{"filter": r.URL.Query().Get("$filter")}}
	entry := activity.Entry{Time: h.Now().UTC(), Operation: fault.RetailPrices, Method: r.Method, Path: r.URL.RequestURI()}
	h.Faults.Guard(w, r, call, fault.Plain{Entry: entry, Record: h.Record, Refuse: refuse, Next: h.serve})
}

// refuse is a refusal. What the real service says is not documented.
func refuse(w http.ResponseWriter, e *arm.Error) {
	write(w, e.Status, map[string]any{"Error": map[string]any{"Code": e.Code, "Message": e.Message}})
}

// serve answers a page of what a filter leaves.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	keep, ok := parse(query.Get("$filter"), query.Get("api-version") >= caseSensitive)
	skip, err := strconv.Atoi(query.Get("$skip"))
	currency := strings.Trim(query.Get("currencyCode"), "'")
	switch {
	case r.Method != http.MethodGet:
		refuse(w, arm.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "Only GET is served."))
		return
	case !ok, query.Get("$skip") != "" && (err != nil || skip < 0):
		refuse(w, arm.Errorf(http.StatusBadRequest, "BadRequest", "Invalid OData parameters supplied."))
		return
	case currency != "" && currency != "USD":
		refuse(w, arm.Errorf(http.StatusBadRequest, "BadRequest", "Only USD is known here."))
		return
	}
	items := []item{}
	for _, i := range catalogue() {
		if keep(i) {
			items = append(items, i)
		}
	}
	items = items[min(skip, len(items)):]
	var next *string
	if len(items) > pageSize {
		items = items[:pageSize]
		link := url.URL{Scheme: "https", Host: r.Host, Path: path}
		query.Set("$skip", strconv.Itoa(skip+pageSize))
		link.RawQuery = query.Encode()
		next = new(link.String())
	}
	write(w, http.StatusOK, map[string]any{
		"BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail",
		"Items": items, "NextPageLink": next, "Count": len(items),
	})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone when this fails
}
