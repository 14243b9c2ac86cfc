package retail

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/fault"
)

type answer struct {
	Items []item  `json:"Items"`
	Next  *string `json:"NextPageLink"`
	Count int     `json:"Count"`
}

func ask(t *testing.T, link string) (int, answer) {
	t.Helper()
	h := &Handler{Now: time.Now, Faults: fault.NewBook(time.Now), Record: func(activity.Entry) {}}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	return w.Code, a
}

// Pages hang together, and have everything once.
func TestPages(t *testing.T) {
	seen, link := 0, "https://localhost"+path
	for pages := 0; link != ""; pages++ {
		status, a := ask(t, link)
		if status != http.StatusOK || a.Count != len(a.Items) || len(a.Items) > pageSize || pages > 100 {
			t.Fatalf("%s: status %d, %d of %d items", link, status, len(a.Items), a.Count)
		}
		seen += len(a.Items)
		link = ""
		if a.Next != nil {
			link = *a.Next
		}
	}
	if seen != len(catalogue()) || seen <= pageSize {
		t.Errorf("%d of %d items", seen, len(catalogue()))
	}
}

// A filter leaves what it says, and what is no filter is refused.
func TestFilters(t *testing.T) {
	const b2s = "armRegionName eq 'eastus' and armSkuName eq 'Standard_B2s' and priceType eq 'Consumption'"
	for _, c := range []struct {
		filter, version string
		status, items   int
	}{
		{b2s, caseSensitive, 200, 3}, // Linux, Windows, Low Priority
		{"armSkuName eq 'standard_b2s' and armRegionName eq 'EASTUS'", caseSensitive, 200, 0},
		{"armSkuName eq 'standard_b2s' and armRegionName eq 'EASTUS' and priceType eq 'consumption'", "", 200, 3},
		{"contains(meterName, 'E4 LRS') and armRegionName eq 'eastus'", caseSensitive, 200, 2},
		{"meterName eq 'it''s'", caseSensitive, 200, 0},
		{b2s + " or armRegionName eq 'westus'", caseSensitive, 400, 0},
		{b2s + " and", caseSensitive, 400, 0},
		{"colour eq 'red'", caseSensitive, 400, 0},
		{"armRegionName eq 'eastus", caseSensitive, 400, 0},
		{"armRegionName ne 'eastus'", caseSensitive, 400, 0},
		{b2s + "x", caseSensitive, 400, 0},
	} {
		query := url.Values{"$filter": {c.filter}, "api-version": {c.version}}
		if status, a := ask(t, "https://localhost"+path+"?"+query.Encode()); status != c.status || len(a.Items) != c.items {
			t.Errorf("%s: status %d, %d items, want %d and %d", c.filter, status, len(a.Items), c.status, c.items)
		}
	}
	if status, _ := ask(t, "https://localhost"+path+"?currencyCode='EUR'"); status != 400 {
		t.Errorf("euros: status %d", status)
	}
}
