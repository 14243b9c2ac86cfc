package compute

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// limitCores is the default limit of each quota in a region: room for ten thousand machines.
const limitCores = 40000

// Names of limits that are no family's.
const (
	limitTotal = "cores"
	limitSpot  = "spot"
)

// Limits are the limits of compute by name, with their defaults: cores in a region, cores
// of Spot machines, and cores of each family of sizes.
func Limits() map[string]int {
	out := map[string]int{limitTotal: limitCores, limitSpot: limitCores}
	for _, s := range Sizes() {
		out[s.Family] = limitCores
	}
	return out
}

// usage counts cores: in all, of Spot machines, by family.
type usage struct {
	machines, cores, spot int
	family                map[string]int
}

// countMachine is what a machine counts for: itself and its cores, in one counter each for
// every combination that a quota tells apart.
func countMachine(d *fabric.Document) []fabric.Count {
	size, _ := findSize(d.Body.Str("properties", "hardwareProfile", "vmSize"))
	at := counter{location: d.Body.Str("location"), family: size.Family, spot: isSpot(d.Body), free: powerOf(d) == Deallocated}
	return []fabric.Count{{Name: at.name("machines"), N: 1}, {Name: at.name("cores"), N: size.Cores}}
}

// counter tells apart what is counted of machines.
type counter struct {
	location, family string
	spot, free       bool // free: deallocated
}

func (c counter) name(of string) string {
	return fmt.Sprintf("%s/%s/%s/%t/%t", of, c.location, c.family, c.spot, c.free)
}

func countUsage(t *fabric.Tx, location string) usage {
	u := usage{family: map[string]int{}}
	states := []bool{false, true}
	if t.World().Switches.Is(fabric.DeallocatedQuota, "free") {
		states = states[:1]
	}
	for family := range families() {
		for _, free := range states {
			regular, spot := counter{location, family, false, free}, counter{location, family, true, free}
			u.machines += t.Count(regular.name("machines")) + t.Count(spot.name("machines"))
			u.spot += t.Count(spot.name("cores"))
			cores := t.Count(regular.name("cores"))
			u.cores += cores
			u.family[family] += cores
		}
	}
	return u
}

// families are the families of sizes.
func families() map[string]bool {
	out := map[string]bool{}
	for _, s := range Sizes() {
		out[s.Family] = true
	}
	return out
}

// checkQuota refuses a machine that passes a limit, synchronously, as compute does. Spot
// machines have a quota of their own.
func checkQuota(t *fabric.Tx, s Size, location string, spot bool) error {
	u := countUsage(t, location)
	if spot {
		return checkCores(t, limitSpot, "LowPriorityCores", location, u.spot, s.Cores)
	}
	if err := checkCores(t, limitTotal, "Total Regional Cores", location, u.cores, s.Cores); err != nil {
		return err
	}
	return checkCores(t, s.Family, s.Family+" Cores", location, u.family[s.Family], s.Cores)
}

func checkCores(t *fabric.Tx, limit, name, location string, used, more int) error {
	allowed := t.World().Settings.Limit(limit, location)
	if used+more <= allowed {
		return nil
	}
	return arm.Errorf(http.StatusConflict, "OperationNotAllowed",
		"Operation could not be completed as it results in exceeding approved %s quota. Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: %d, (Minimum) New Limit Required: %d. Setup Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoringalerting .",
		name, location, allowed, used, more, used+more)
}

func listUsages(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	location := resources.Normalize(r.Params["location"])
	u := countUsage(t, location)
	rows, limit := []doc.Object{}, func(name string) int { return t.World().Settings.Limit(name, location) }
	row := func(limit int, name, text string, used int) {
		rows = append(rows, doc.Object{"limit": limit, "unit": "Count", "currentValue": used, "name": doc.Object{"value": name, "localizedValue": text}})
	}
	row(limit(limitTotal), "cores", "Total Regional vCPUs", u.cores)
	row(limitCores, "virtualMachines", "Virtual Machines", u.machines)
	row(limit(limitSpot), "lowPriorityCores", "Total Regional Spot vCPUs", u.spot)
	var families []string
	for _, s := range Sizes() {
		families = append(families, s.Family)
	}
	for _, f := range slices.Compact(families) {
		row(limit(f), f, strings.TrimSuffix(f, "Family")+" Family vCPUs", u.family[f])
	}
	return arm.OK(doc.Object{"value": rows}), nil
}
