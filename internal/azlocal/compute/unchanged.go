package compute

import (
	"encoding/json"
	"net/http"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
)

// fixed are the properties that stay as a machine was made with them.
func fixed() [][]string {
	return [][]string{
		{"osProfile", "computerName"}, {"osProfile", "adminUsername"}, {"osProfile", "requireGuestProvisionSignal"},
		{"osProfile", "linuxConfiguration", "disablePasswordAuthentication"}, {"osProfile", "linuxConfiguration", "provisionVMAgent"},
		{"osProfile", "linuxConfiguration", "ssh", "publicKeys"}, {"osProfile", "windowsConfiguration"},
		{"storageProfile", "osDisk", "name"}, {"storageProfile", "osDisk", "createOption"}, {"storageProfile", "osDisk", "osType"}, {"storageProfile", "osDisk", "vhd"},
		{"storageProfile", "osDisk", "managedDisk", "id"}, {"storageProfile", "osDisk", "diffDiskSettings"},
		{"storageProfile", "imageReference", "id"}, {"storageProfile", "imageReference", "publisher"}, {"storageProfile", "imageReference", "offer"},
		{"storageProfile", "imageReference", "sku"}, {"storageProfile", "imageReference", "version"},
		{"availabilitySet"}, {"evictionPolicy"}, {"priority"},
	}
}

// checkUnchanged refuses a write that changes what cannot be. What a write leaves out stays.
func checkUnchanged(t *fabric.Tx, r *arm.Request, d *fabric.Document) error {
	given, now := r.Body.Obj("properties"), d.Body.Obj("properties")
	for _, path := range fixed() {
		if v := given.Get(path...); v != nil && !same(v, now.Get(path...)) && !asMade(path, v) {
			return changed(strings.Join(path, "."))
		}
	}
	for _, key := range []string{"zones", "plan"} {
		if v := r.Body[key]; v != nil && !same(v, d.Body[key]) {
			return changed(key)
		}
	}
	if v := given.Str("osProfile", "customData"); v != "" && v != customDataText(t, d) {
		return changed("osProfile.customData")
	}
	if v := given.Str("osProfile", "adminPassword"); v != "" && bcrypt.CompareHashAndPassword([]byte(d.Hidden.Str("passwordHash")), []byte(v)) != nil {
		return changed("osProfile.adminPassword")
	}
	if v := given.Get("networkProfile", "networkInterfaceConfigurations"); v != nil && !same(v, d.Hidden["inline"]) {
		return changed("networkProfile.networkInterfaceConfigurations")
	}
	return nil
}

// asMade tells whether a value says no more than the default that a machine was made with.
func asMade(path []string, v any) bool {
	switch path[len(path)-1] {
	case "priority":
		return same(v, "Regular")
	case "publicKeys":
		return same(v, []any{})
	}
	return false
}

func changed(property string) error {
	return arm.Errorf(http.StatusConflict, "PropertyChangeNotAllowed", "Changing property '%s' is not allowed.", property).About(property)
}

// same compares values of JSON; texts without case, as ids and names of choices compare.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && strings.EqualFold(string(x), string(y))
}
