package compute

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

func invalid(target, format string, args ...any) *arm.Error {
	return arm.Errorf(http.StatusBadRequest, "InvalidParameter", format, args...).About(target)
}

// missing is the refusal of a body without something that is required.
func missing(parameter string) *arm.Error {
	return invalid(parameter, "Required parameter '%s' is missing (null).", parameter)
}

func needsBody() error {
	return arm.Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: a body is required.")
}

var entityName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$`)

// checkEntity refuses a name that no resource of compute can have.
func checkEntity(target, name string) error {
	if entityName.MatchString(name) {
		return nil
	}
	return invalid(target, `The entity name '%s' is invalid according to its validation rule: ^[^_\W][\w-._]{0,79}(?<![-.])$.`, target)
}

// normalize is the location of a body: "West US" is "westus".
func normalize(body doc.Object) string { return resources.Normalize(body.Str("location")) }

func checkLocation(resourceType, location string) error {
	switch {
	case location == "":
		return arm.Gatewayf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	case !resources.IsRegion(location):
		return arm.Gatewayf(http.StatusBadRequest, "LocationNotAvailableForResourceType",
			"The provided location '%s' is not available for resource type '%s'.", location, resourceType)
	}
	return nil
}

func otherLocation(d *fabric.Document, location string) error {
	return arm.Gatewayf(http.StatusConflict, "InvalidResourceLocation",
		"The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
		arm.Name(d.ID), d.Body.Str("location"), arm.ParseID(d.ID).Group, location)
}

// checkZones refuses availability zones that the region does not have, and more than one.
func checkZones(r *arm.Request) error {
	zones, here := r.Body.Strings("zones"), resources.Zones(normalize(r.Body))
	if len(zones) == 0 {
		return nil
	}
	if len(zones) > 1 {
		return invalid("zones", "The resource '%s' cannot be in more than one availability zone.", arm.Name(r.ID))
	}
	if !slices.Contains(here, zones[0]) {
		return arm.Gatewayf(http.StatusBadRequest, "InvalidAvailabilityZone", "The zone(s) '%s' for resource '%s/%s' is not supported. The supported zones for location '%s' are '%s'.",
			zones[0], arm.ParseID(r.ID).Type(), arm.Name(r.ID), normalize(r.Body), strings.Join(here, ","))
	}
	return nil
}

// checkDeleteOption refuses what no deleteOption can be; "" is the default.
func checkDeleteOption(target, option string) error {
	if option == "" || equalsAny(option, "Delete", "Detach") {
		return nil
	}
	return invalid(target, "The value '%s' of parameter '%s' is not allowed. Allowed values are 'Delete,Detach'.", option, target)
}
