package compute

import (
	"net/http"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// limitCores is the limit of each quota of cores in a region: room for ten thousand machines.
const limitCores = 40000

// usage counts cores: in all, of Spot machines, by family.
type usage struct {
	machines, cores, spot int
	family                map[string]int
}

func countUsage(t *fabric.Tx, location string) usage {
	u := usage{family: map[string]int{}}
	free := t.World().Switches.Is(fabric.DeallocatedQuota, "free")
	for _, d := range t.List(TypeVM, "") {
		if d.Body.Str("location") != location || free && powerOf(d) == Deallocated {
			continue
		}
		s, _ := findSize(d.Body.Str("properties", "hardwareProfile", "vmSize"))
		u.machines++
		if isSpot(d.Body) {
			u.spot += s.Cores
			continue
		}
		u.cores += s.Cores
		u.family[s.Family] += s.Cores
	}
	return u
}

func isSpot(body doc.Object) bool {
	return strings.EqualFold(body.Str("properties", "priority"), "Spot")
}

// checkQuota refuses a machine that passes a limit, synchronously, as compute does.
func checkQuota(t *fabric.Tx, s Size, location string, spot bool) error {
	u := countUsage(t, location)
	name, used := "Total Regional", u.cores
	if spot {
		name, used = "LowPriorityCores", u.spot
	}
	if used+s.Cores <= limitCores {
		return nil
	}
	return arm.Errorf(http.StatusConflict, "OperationNotAllowed",
		"Operation could not be completed as it results in exceeding approved %s Cores quota. Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: %d, (Minimum) New Limit Required: %d. Setup Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoringalerting .",
		name, location, limitCores, used, s.Cores, used+s.Cores)
}

func listUsages(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	u := countUsage(t, resources.Normalize(r.Params["location"]))
	rows := []doc.Object{}
	row := func(name, text string, used int) {
		rows = append(rows, doc.Object{"limit": limitCores, "unit": "Count", "currentValue": used, "name": doc.Object{"value": name, "localizedValue": text}})
	}
	row("cores", "Total Regional vCPUs", u.cores)
	row("virtualMachines", "Virtual Machines", u.machines)
	row("lowPriorityCores", "Total Regional Spot vCPUs", u.spot)
	var families []string
	for _, s := range Sizes() {
		families = append(families, s.Family)
	}
	for _, f := range slices.Compact(families) {
		row(f, strings.TrimSuffix(f, "Family")+" Family vCPUs", u.family[f])
	}
	return arm.OK(doc.Object{"value": rows}), nil
}
