package network

import (
	"net/http"
	"regexp"

	"mngr/internal/azlocal/arm"
)

var resourceName = regexp.MustCompile(`^\w([\w.-]*\w)?$`)

// checkName refuses names that Microsoft.Network refuses (f5-azure-arm-templates#227 has the
// text; virtual networks, of 2 to 64 characters, have their own code). A name from a body is
// checked before an id is made of it: one with a slash would be another's id.
func checkName(resourceType, name string) error {
	if resourceType == TypeVNet && (len(name) < 2 || len(name) > 64) {
		return arm.Errorf(http.StatusBadRequest, "NetcfgInvalidVirtualNetworkSite", "Virtual network site is not valid as specified with the name '%s'.", name)
	}
	if len(name) > 80 || !resourceName.MatchString(name) {
		return arm.Errorf(http.StatusBadRequest, "InvalidResourceName",
			"Resource name %s is invalid. The name can be up to 80 characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'.", name)
	}
	return nil
}
