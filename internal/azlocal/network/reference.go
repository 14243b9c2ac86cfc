package network

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// missing is the refusal of a reference to something that is not there, or elsewhere.
func missing(target, by string) error {
	return arm.Errorf(http.StatusBadRequest, "InvalidResourceReference",
		"Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", target, by)
}

// NotProvisioned is the refusal of a reference to something that is being deleted.
func NotProvisioned(target *fabric.Document, by string) error {
	operation := map[string]string{TypeInterface: "DeleteNicOperation", TypePublicIP: "DeletePublicIpAddressOperation",
		TypeNSG: "DeleteNetworkSecurityGroupOperation", TypeSubnet: "DeleteSubnetOperation"}[target.Body.Str("type")]
	return arm.Errorf(http.StatusConflict, "ReferencedResourceNotProvisioned",
		"Cannot proceed with operation because resource %s used by resource %s is not in Succeeded state. Resource is in %s state and the last operation that updated/is updating the resource is %s.",
		target.ID, by, target.Body.Str("properties", "provisioningState"), operation)
}

// refer returns what the property at path of given refers to. Nothing is referred to when the
// property is absent or null; otherwise it must name a resource of a type that is there, and in
// the region of whoever refers to it, and stay.
func refer(t *fabric.Tx, by, location, resourceType string, given doc.Object, path ...string) (*fabric.Document, error) {
	ref := given.Obj(path...)
	if ref == nil {
		return nil, nil
	}
	id := ref.Str("id")
	if !strings.HasPrefix(strings.ToLower(id), "/subscriptions/") {
		return nil, arm.Gatewayf(http.StatusBadRequest, "LinkedInvalidPropertyId",
			"Property id '%s' at path 'properties.%s.id' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
			id, strings.Join(path, "."))
	}
	d := t.Peek(id)
	if d == nil || !strings.EqualFold(arm.ParseID(id).Type(), resourceType) || locationOf(t, d) != location {
		return nil, missing(id, by)
	}
	if deleting(d) {
		return nil, NotProvisioned(d, by)
	}
	return d, nil
}

// locationOf is a resource's region; children are where their parent is.
func locationOf(t *fabric.Tx, d *fabric.Document) string {
	if location := d.Body.Str("location"); location != "" {
		return location
	}
	if parent := t.Peek(arm.Parent(d.ID)); parent != nil {
		return parent.Body.Str("location")
	}
	return ""
}
