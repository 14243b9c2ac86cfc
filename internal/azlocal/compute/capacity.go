package compute

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// Prefixes of the names of settings about a size, in all regions or in one.
const (
	capacityPrefix    = "capacity."
	restrictionPrefix = "restriction."
)

// How a machine is refused that does not fit: at once, or when its operation runs.
const (
	refusedAtOnce  = "none"
	refusedHost    = "allocation"
	refusedZone    = "zonal"
	refusedTooMuch = "overconstrained"
)

// CapacitySettings are how many machines of a size fit into a region, and which sizes the
// subscription may not use there. By default all fit, and all may be used.
func CapacitySettings() []fabric.Definition {
	var out []fabric.Definition
	for _, s := range Sizes() {
		out = append(out,
			fabric.Definition{Name: capacityPrefix + s.Name, Regional: true, Check: func(v string) error {
				_, _, err := parseCapacity(v)
				return err
			}},
			fabric.Definition{Name: restrictionPrefix + s.Name, Regional: true, Check: func(v string) error {
				if !slices.Contains(restrictionReasons(), v) {
					return fmt.Errorf("a restriction is %s, not %q", strings.Join(restrictionReasons(), " or "), v)
				}
				return nil
			}})
	}
	return out
}

// restrictionReasons are the reasonCodes of the SKU list.
func restrictionReasons() []string { return []string{"NotAvailableForSubscription", "QuotaId"} }

// parseCapacity reads "none", "allocation", "zonal", "overconstrained", "3" or
// "3:allocation": how many machines fit, and how the next is refused.
func parseCapacity(v string) (room int, kind string, err error) {
	number, kind, both := strings.Cut(v, ":")
	if !both && slices.Contains([]string{refusedAtOnce, refusedHost, refusedZone, refusedTooMuch}, v) {
		return 0, v, nil
	}
	if !both {
		kind = refusedAtOnce
	}
	room, err = strconv.Atoi(number)
	if err != nil || room < 0 || !slices.Contains([]string{refusedAtOnce, refusedHost, refusedZone, refusedTooMuch}, kind) {
		return 0, "", fmt.Errorf("a capacity is none, allocation, zonal, overconstrained, or a number of machines with or without one of them behind a colon, not %q", v)
	}
	return room, kind, nil
}

// capacity is the capacity of a region for a size; limited is false where all fit.
func capacity(t *fabric.Tx, size, location string) (room int, kind string, limited bool) {
	v := t.World().Settings.Value(capacityPrefix+size, location)
	if v == "" {
		return 0, "", false
	}
	room, kind, err := parseCapacity(v)
	return room, kind, err == nil
}

// holdsHost tells whether a machine takes up capacity: until it is deallocated or gone, and
// not when it has never got a host.
func holdsHost(t *fabric.Tx, d *fabric.Document) bool {
	switch powerOf(d) {
	case Deallocated:
		return false
	case Unknown:
		busy := t.Busy(d.ID)
		return busy != nil && busy.Job == jobCreate && busy.Fate == nil
	}
	return true
}

// hosted lists the machines of a size in a region that hold a host.
func hosted(t *fabric.Tx, size, location string) []*fabric.Document {
	var out []*fabric.Document
	for _, d := range t.List(TypeVM, "") {
		if strings.EqualFold(sizeOf(d), size) && d.Body.Str("location") == location && holdsHost(t, d) {
			out = append(out, d)
		}
	}
	return out
}

func sizeOf(d *fabric.Document) string { return d.Body.Str("properties", "hardwareProfile", "vmSize") }

// allocate finds a host for a machine that has none. Without one the request is refused, or
// its operation gets the fate to fail.
func allocate(t *fabric.Tx, d *fabric.Document) (*fabric.Fate, error) {
	location := d.Body.Str("location")
	if err := checkRestriction(t, d, location); err != nil {
		return nil, err
	}
	room, kind, limited := capacity(t, sizeOf(d), location)
	if !limited || len(hosted(t, sizeOf(d), location)) < room {
		return nil, nil
	}
	_, zonal := d.Body["zones"]
	switch kind {
	case refusedHost:
		return &fabric.Fate{Fails: arm.AllocationFailed(zonal)}, nil
	case refusedZone:
		return &fabric.Fate{Fails: arm.AllocationFailed(true)}, nil
	case refusedTooMuch:
		return &fabric.Fate{Fails: arm.Overconstrained(zonal)}, nil
	}
	return nil, arm.SkuNotAvailable(sizeOf(d), location)
}

// checkRestriction refuses a size that the subscription may not use in a region.
func checkRestriction(t *fabric.Tx, d *fabric.Document, location string) error {
	if t.World().Settings.Value(restrictionPrefix+sizeOf(d), location) == "" {
		return nil
	}
	return arm.Errorf(http.StatusConflict, "SkuNotAvailable",
		"The requested size for resource '%s' is currently not available in location '%s' zones '%s' for subscription '%s'. Please try another size or deploy to a different location or zones. See https://aka.ms/azureskunotavailable for details.",
		d.ID, location, strings.Join(d.Body.Strings("zones"), ","), t.World().Subscription)
}

// restrictions are those of a size as the SKU list shows them.
func restrictions(t *fabric.Tx, size, location string) []any {
	reason := t.World().Settings.Value(restrictionPrefix+size, location)
	if reason == "" {
		return []any{}
	}
	return []any{doc.Object{"type": "Location", "values": []any{location}, "reasonCode": reason,
		"restrictionInfo": doc.Object{"locations": []any{location}}}}
}

// Reclaim evicts Spot machines where fewer machines fit than run, as the platform does when
// it wants the capacity back.
func (p *Provider) Reclaim(t *fabric.Tx) error {
	for _, region := range resources.Regions() {
		for _, s := range Sizes() {
			room, _, limited := capacity(t, s.Name, region.Name)
			if !limited {
				continue
			}
			all := hosted(t, s.Name, region.Name)
			for _, d := range all {
				if len(all) <= room {
					break
				}
				if !isSpot(d.Body) || !powerOf(d).Billed() {
					continue
				}
				if _, err := p.Evict(t, d.ID); err != nil {
					return err
				}
				room++
			}
		}
	}
	return nil
}
