package resources

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
)

// Enter is the first thing that happens to a request: its subscription must be ours, and its id is
// spelled as the first PUT of each of its parts did it.
func Enter(t *fabric.Tx, r *arm.Request) error {
	if sub := arm.ParseID(r.ID).Subscription; sub != "" {
		if err := checkSubscription(t, sub); err != nil {
			return err
		}
	}
	r.ID = t.Spell(r.ID)
	return nil
}

// Gate refuses what ARM refuses before a resource provider sees the request:
// providers not registered, groups that are missing or being deleted.
func Gate(t *fabric.Tx, r *arm.Request) error {
	p := arm.ParseID(r.ID)
	if p.Subscription == "" || p.Namespace == "" {
		return nil
	}
	write := r.Method != http.MethodGet && r.Method != http.MethodHead
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

// CheckVersion refuses api-versions that the type of an id does not have. location, called only
// for the text of a refusal, tells where the resource is or shall be, "" when nobody knows.
func CheckVersion(id, version string, location func() string) error {
	if version == "" {
		return arm.Gatewayf(http.StatusBadRequest, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests.")
	}
	namespace, name := typeOf(id)
	n, ok := findNamespace(namespace)
	if !ok {
		return unknownNamespace(namespace)
	}
	t, ok := n.Find(name)
	switch {
	case !ok:
		return UnknownType(namespace, version)
	case t.Has(version):
		return nil
	case n.Name == "Microsoft.Resources":
		return arm.Gatewayf(http.StatusBadRequest, "InvalidApiVersionParameter",
			"The api-version '%s' is invalid. The supported versions are '%s'.", version, strings.Join(t.Versions(), ","))
	}
	return arm.Gatewayf(http.StatusBadRequest, "NoRegisteredProviderFound",
		"No registered resource provider found for location '%s' and API version '%s' for type '%s'. The supported api-versions are '%s'. The supported locations are '%s'.",
		location(), version, t.Name, strings.Join(t.Versions(), ", "), strings.Join(RegionNames(), ", "))
}

// UnknownType is the refusal of a type that a provider does not have.
func UnknownType(namespace, version string) error {
	return arm.Gatewayf(http.StatusNotFound, "InvalidResourceType",
		"The resource type could not be found in the namespace '%s' for api version '%s'.", namespace, version)
}

// typeOf is the provider and type whose api-versions count for an id. What names no provider is
// ARM's own.
func typeOf(id string) (namespace, name string) {
	p := arm.ParseID(id)
	if p.Namespace != "" && len(p.Types) > 0 {
		return p.Namespace, strings.Join(p.Types, "/")
	}
	const arms = "Microsoft.Resources"
	seg := arm.Segments(id)
	switch {
	case len(seg) == 0:
		return arms, "resources"
	case p.Namespace != "":
		return arms, "providers"
	case len(seg) > 2 && strings.EqualFold(seg[0], "subscriptions") && !strings.EqualFold(seg[2], "resourceGroups"):
		return arms, seg[0] + "/" + seg[2] + deeper(seg, 4)
	case len(seg) > 2:
		return arms, "subscriptions/resourceGroups"
	}
	return arms, seg[0]
}

func deeper(seg []string, i int) string {
	if len(seg) > i {
		return "/" + seg[i]
	}
	return ""
}
