package arm

import "net/http"

// SkuNotAvailable is the refusal of a size that a region has none of now.
func SkuNotAvailable(size, location string) *Error {
	return Errorf(http.StatusConflict, "SkuNotAvailable",
		"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: %s' is currently not available in location '%s'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.", size, location)
}

// AllocationFailed is how an operation ends that found no host; zonal where it had to be in
// one zone.
func AllocationFailed(zonal bool) *Error {
	code, where := "AllocationFailed", "region"
	if zonal {
		code, where = "ZonalAllocationFailed", "zone"
	}
	return Errorf(http.StatusConflict, code,
		"Allocation failed. We do not have sufficient capacity for the requested VM size in this %s. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance", where)
}

// Overconstrained is how an operation ends that found no host under all its constraints.
func Overconstrained(zonal bool) *Error {
	code, constraints := "OverconstrainedAllocationRequest", "  - VM Size\n"
	if zonal {
		code, constraints = "OverconstrainedZonalAllocationRequest", "  - Availability Zone\n"+constraints
	}
	return Errorf(http.StatusConflict, code,
		"Allocation failed. VM(s) with the following constraints cannot be allocated, because the condition is too restrictive. Please remove some constraints and try again. Constraints applied are:\n%s", constraints)
}

// OSProvisioningTimedOut is how an operation ends whose machine runs, but whose guest never
// said so.
func OSProvisioningTimedOut(vm string) *Error {
	return Errorf(http.StatusConflict, "OSProvisioningTimedOut",
		"OS Provisioning for VM '%s' did not finish in the allotted time. The VM may still finish provisioning successfully. Please check provisioning state later.", Name(vm))
}
