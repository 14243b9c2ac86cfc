package resources

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
)

// Gate refuses what ARM refuses before a resource provider sees the request: unknown
// subscriptions, providers not registered, groups that are missing or being deleted.
func Gate(t *fabric.Tx, r *arm.Request) error {
	p := arm.ParseID(r.ID)
	if p.Subscription == "" {
		return nil
	}
	if err := checkSubscription(t, p.Subscription); err != nil {
		return err
	}
	write := r.Method != http.MethodGet && r.Method != http.MethodHead
	if p.Namespace == "" {
		return nil
	}
	if p.Group != "" {
		group := t.Peek(arm.GroupID(r.ID))
		if group == nil {
			return arm.GroupNotFound(p.Group)
		}
		if write && r.Method != http.MethodDelete {
			if err := checkNotDeleting(group); err != nil {
				return err
			}
		}
	}
	if write && len(p.Types) > 0 {
		return checkRegistered(t, p.Namespace)
	}
	return nil
}

// CheckVersion refuses api-versions that the provider of an id does not have.
func CheckVersion(id, version string) error {
	if version == "" {
		return arm.Gatewayf(http.StatusBadRequest, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests.")
	}
	p := arm.ParseID(id)
	name := p.Namespace
	if name == "" || len(p.Types) == 0 {
		name = "Microsoft.Resources"
	}
	n, ok := findNamespace(name)
	if !ok {
		return unknownNamespace(name)
	}
	for _, v := range n.Versions {
		if strings.EqualFold(v, version) {
			return nil
		}
	}
	if p.Namespace == "" || len(p.Types) == 0 {
		return arm.Gatewayf(http.StatusBadRequest, "InvalidApiVersionParameter",
			"The api-version '%s' is invalid. The supported versions are '%s'.", version, strings.Join(n.Versions, ","))
	}
	return arm.Gatewayf(http.StatusBadRequest, "NoRegisteredProviderFound",
		"No registered resource provider found for location '' and API version '%s' for type '%s'. The supported api-versions are '%s'. The supported locations are ''.",
		version, strings.Join(p.Types, "/"), strings.Join(n.Versions, ", "))
}
