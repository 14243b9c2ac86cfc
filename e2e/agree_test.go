package e2e

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// agree wants `mngr cost` to say what the local Azure's own books say: of every host
// what it costs an hour, and within some seconds for how long compute was billed.
// Both have prices of their own.
func agree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: agree")
	}
	var ours struct {
		Hosts []struct {
			Name     string   `json:"name"`
			Resource string   `json:"resource_id"`
			Ran      *float64 `json:"run_seconds"`
		} `json:"hosts"`
		Total struct {
			PerHour float64 `json:"known_usd_per_hour"`
			SoFar   float64 `json:"known_usd_so_far"`
		} `json:"total"`
	}
	var books struct {
		USD       float64 `json:"total_usd"`
		PerHour   float64 `json:"usd_per_hour"`
		Resources []struct {
			Resource string  `json:"resource"`
			Meter    string  `json:"meter"`
			Hours    float64 `json:"hours"`
		} `json:"resources"`
	}
	ts.Check(ts.Exec("mngr", "cost", "--format", "json"))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &ours))
	ts.Check(ts.Exec("mngr", "azure", "local", "bill", "--format", "json"))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &books))
	if math.Abs(ours.Total.PerHour-books.PerHour) > 1e-5 {
		ts.Fatalf("mngr cost says %v USD an hour, the books %v", ours.Total.PerHour, books.PerHour)
	}
	billed := map[string]float64{}
	for _, r := range books.Resources {
		if r.Meter == "compute" {
			billed[strings.ToLower(r.Resource)] = 3600 * r.Hours
		}
	}
	// The books do not count the time in which a machine is made, and go on while it is asked.
	const within = 15
	for _, h := range ours.Hosts {
		if h.Ran == nil || math.Abs(*h.Ran-billed[strings.ToLower(h.Resource)]) > within {
			ts.Fatalf("host %s: mngr cost has run_seconds %v, the books %v", h.Name, h.Ran, billed[strings.ToLower(h.Resource)])
		}
	}
	if math.Abs(ours.Total.SoFar-books.USD) > 0.001 {
		ts.Fatalf("mngr cost says %v USD so far, the books %v", ours.Total.SoFar, books.USD)
	}
}
