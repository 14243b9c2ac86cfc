package chaos

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"mngr/e2e/rig"
)

// costing is what `mngr cost --format json` says, as far as the bill tells too.
type costing struct {
	Hosts []struct {
		Resource string `json:"resource_id"`
		Billing  string `json:"billing"`
		Cost     struct {
			PerHour *float64 `json:"usd_per_hour"`
		} `json:"cost"`
	} `json:"hosts"`
	Errors []rig.ListError `json:"errors"`
}

// cent is by how much sums of rounded prices may differ, in USD an hour.
const cent = 0.00001

// costs holds what mngr says that each host costs now to what is billed of it. It comes
// after compare: nothing is under way.
func (s *scene) costs(ctx context.Context) ([]Finding, error) {
	st, err := s.azure.Status(ctx)
	if err != nil || len(st.Billed) == 0 {
		return nil, err
	}
	r, err := s.who.Run(ctx, "cost", "--format", "json")
	if err != nil {
		return nil, err
	}
	if found := wordsOf(r); len(found) > 0 {
		return found, nil
	}
	var said costing
	if err := r.Decode(&said); err != nil || len(said.Errors) > 0 {
		return []Finding{{Else, fmt.Sprintf("cost does not tell: %v\n%s", err, r)}}, nil
	}
	if wrong := overcharged(said, st.Billed); len(wrong) > 0 {
		return []Finding{{Leak, fmt.Sprintf("cost and bill differ: %s\n%s", strings.Join(wrong, "; "), r)}}, nil
	}
	return nil, nil
}

// overcharged names the hosts that are billed at another rate than cost says. Of a machine
// that failed it may not know; parts without a machine are gc's.
func overcharged(said costing, billed []rig.Charge) []string {
	rates := map[string]float64{}
	for _, c := range billed {
		if c.PerHour == nil {
			return []string{"the local Azure itself knows no price of " + c.Resource}
		}
		rates[machineOf(c.Resource)] += *c.PerHour
	}
	var wrong []string
	for _, h := range said.Hosts {
		name := machineOf(h.Resource)
		switch {
		case h.Cost.PerHour == nil && h.Billing != "unknown":
			wrong = append(wrong, name+" is said to cost nobody knows what")
		case h.Cost.PerHour != nil && math.Abs(*h.Cost.PerHour-rates[name]) > cent:
			wrong = append(wrong, fmt.Sprintf("%s is said to cost %g USD/hour, and is billed at %g", name, *h.Cost.PerHour, rates[name]))
		}
	}
	slices.Sort(wrong)
	return wrong
}
