package compute

import (
	"fmt"
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// What becomes of a Spot machine that is evicted.
const (
	evictDelete     = "Delete"
	evictDeallocate = "Deallocate"
)

func isSpot(body doc.Object) bool {
	return strings.EqualFold(body.Str("properties", "priority"), "Spot")
}

// spotPrice is what a size costs an hour as Spot, in US dollars.
func spotPrice(s Size) float64 { return s.PerHour * spotShare }

// checkSpot refuses what Spot cannot do, and what only Spot can (documentation:
// error-codes-spot, which names no HTTP statuses).
func checkSpot(props doc.Object, s Size) error {
	bad := func(code, format string, args ...any) error {
		return arm.Errorf(http.StatusBadRequest, code, format, args...)
	}
	priority, policy := props.Str("priority"), props.Str("evictionPolicy")
	switch {
	case priority != "" && !equalsAny(priority, "Regular", "Low", "Spot"):
		return invalid("priority", "The value '%s' provided for the priority of the virtual machine is not valid.", priority)
	case !strings.EqualFold(priority, "Spot") && policy != "":
		return bad("EvictionPolicyCanBeSetOnlyOnAzureSpotVirtualMachines", "Eviction policy can be set only on Azure Spot Virtual Machines.")
	case !strings.EqualFold(priority, "Spot") && props.Get("billingProfile", "maxPrice") != nil:
		return bad("MaxPriceIsSupportedOnlyForAzureSpotVirtualMachines", "Max price is supported only for Azure Spot Virtual Machines.")
	case !strings.EqualFold(priority, "Spot"):
		return nil
	case s.burstable() || !s.Spot:
		return bad("AzureSpotIsNotSupportedForThisVMSize", "Azure Spot is not supported for this VM size %s.", s.Name)
	case policy != "" && !equalsAny(policy, evictDelete, evictDeallocate):
		return invalid("evictionPolicy", "The value '%s' provided for the eviction policy is not valid.", policy)
	}
	return checkPrice(props.Get("billingProfile", "maxPrice"), "Create", s)
}

// checkPrice refuses a price cap that is none, or that the size passes now. -1 is no cap.
func checkPrice(v any, operation string, s Size) error {
	if v == nil {
		return nil
	}
	price, ok := v.(float64)
	if !ok || price <= 0 && price != -1 {
		return arm.Errorf(http.StatusBadRequest, "MaxPriceValueInvalid",
			"Invalid max price value. The only supported values for max price are -1 or a decimal greater than zero. Max price value of -1 indicates the Azure Spot Virtual Machine shouldn't be evicted for price reasons.")
	}
	if now := spotPrice(s); price > 0 && price < now {
		return arm.Errorf(http.StatusConflict, "SpotPriceGreaterThanProvidedMaxPrice",
			"Unable to perform operation '%s' since the provided max price '%s USD' is lower than the current spot price '%s USD' for Azure Spot Virtual Machine size '%s'.",
			operation, dollars(price), dollars(now), s.Name)
	}
	return nil
}

// checkPriceChange allows a new cap for a machine that is not allocated.
func checkPriceChange(d *fabric.Document, given doc.Object) error {
	price := given.Get("billingProfile", "maxPrice")
	if price == nil || same(price, d.Body.Get("properties", "billingProfile", "maxPrice")) {
		return nil
	}
	switch {
	case !isSpot(d.Body):
		return arm.Errorf(http.StatusBadRequest, "MaxPriceIsSupportedOnlyForAzureSpotVirtualMachines", "Max price is supported only for Azure Spot Virtual Machines.")
	case powerOf(d) != Deallocated:
		return arm.Errorf(http.StatusConflict, "MaxPriceChangeNotAllowedForAllocatedVMs",
			"Max price change is not allowed when the VM '%s' is currently allocated. Please deallocate and try again.", arm.Name(d.ID))
	}
	size, _ := findSize(d.Body.Str("properties", "hardwareProfile", "vmSize"))
	return checkPrice(price, "Update", size)
}

func dollars(price float64) string { return fmt.Sprintf("%.5f", price) }

func equalsAny(s string, all ...string) bool {
	for _, one := range all {
		if strings.EqualFold(s, one) {
			return true
		}
	}
	return false
}
