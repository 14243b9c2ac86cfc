package compute

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// giveIdentity brings a machine's identity to what a write wants. A new principal is in the
// first answer; one that stays keeps its ids. nil changes nothing.
func giveIdentity(t *fabric.Tx, d *fabric.Document, given doc.Object) error {
	if given == nil {
		return nil
	}
	kinds := strings.FieldsFunc(given.Str("type"), func(r rune) bool { return r == ',' || r == ' ' })
	for _, kind := range kinds {
		if !equalsAny(kind, "None", "SystemAssigned", "UserAssigned") {
			return invalid("identity.type", "The value '%s' of parameter 'identity.type' is invalid.", given.Str("type"))
		}
	}
	// No user-assigned identity exists here, so each one that is named is not found.
	for id, v := range given.Obj("userAssignedIdentities") {
		if v != nil {
			return arm.Errorf(http.StatusBadRequest, "FailedIdentityOperation",
				`Identity operation for resource '%s' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{"error":{"code":"BadRequest","message":"Resource '%s' was not found."}}'.'.`, d.ID, id)
		}
	}
	system := slices.ContainsFunc(kinds, func(kind string) bool { return strings.EqualFold(kind, "SystemAssigned") })
	switch has := d.Body.Str("identity", "principalId") != ""; {
	case len(kinds) > 0 && !system:
		delete(d.Body, "identity")
		delete(d.Hidden, "clientId")
	case system && !has:
		d.Body["identity"] = doc.Object{"type": "SystemAssigned", "principalId": uuid.NewString(), "tenantId": t.World().Tenant}
		d.Hidden["clientId"] = uuid.NewString()
	}
	return nil
}
