package compute

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
)

// maxCustomData is the limit of the decoded bytes.
const maxCustomData = 65535

var machineName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?$`)

func invalid(target, format string, args ...any) error {
	return arm.Errorf(http.StatusBadRequest, "InvalidParameter", format, args...).About(target)
}

// checkProfile refuses what is wrong with names, users, keys and custom data.
func checkProfile(name string, profile doc.Object) error {
	user := profile.Str("adminUsername")
	computer := profile.Str("computerName")
	switch {
	case !machineName.MatchString(name):
		return invalid("vmName", "The resource name %s is invalid: 1 to 64 letters, digits, '.', '_' or '-'.", name)
	case profile == nil:
		return invalid("osProfile", "Required parameter 'osProfile' is missing (null).")
	case len(computer) > 64 || computer != "" && !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`).MatchString(computer):
		return invalid("computerName", "Linux host name cannot exceed 64 characters in length or contain the following characters: ` ~ ! @ # $ %% ^ & * ( ) = + _ [ ] { } \\ | ; : ' \" , < > / ?.")
	case user == "" || len(user) > 64:
		return invalid("adminUsername", "Required parameter 'adminUsername' is missing (null).")
	case slices.Contains(reservedUsers, strings.ToLower(user)):
		return invalid("adminUsername", "The Admin Username specified is not allowed.")
	}
	linux := profile.Obj("linuxConfiguration")
	keys := linux.List("ssh", "publicKeys")
	if linux.Bool("disablePasswordAuthentication") && len(keys) == 0 {
		return invalid("linuxConfiguration.ssh.publicKeys", "Authentication using either SSH or by user name and password must be enabled in Linux profile.")
	}
	if !linux.Bool("disablePasswordAuthentication") && profile.Str("adminPassword") == "" && len(keys) == 0 {
		return invalid("adminPassword", "The supplied password must be between 6-72 characters long and must satisfy at least 3 of password complexity requirements.")
	}
	for _, k := range keys {
		if err := checkKey(k.Str("keyData")); err != nil {
			return err
		}
	}
	return checkCustomData(profile)
}

var reservedUsers = strings.Fields("administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5")

func checkKey(line string) error {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || key.Type() != ssh.KeyAlgoED25519 && key.Type() != ssh.KeyAlgoRSA {
		return invalid("linuxConfiguration.ssh.publicKeys.keyData", "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.")
	}
	return nil
}

func checkCustomData(profile doc.Object) error {
	data, err := base64.StdEncoding.DecodeString(profile.Str("customData"))
	if err != nil || len(data) > maxCustomData {
		return invalid("customData", "Custom data in OSProfile must be in Base64 encoding and with a maximum length of 87380 characters.")
	}
	return nil
}

// checkNetwork refuses interfaces that are missing or taken, and inline ones that could
// not be made.
func checkNetwork(t *fabric.Tx, id, location string, profile doc.Object) error {
	existing, inline := profile.List("networkInterfaces"), profile.List("networkInterfaceConfigurations")
	switch {
	case len(existing) > 0 && len(inline) > 0:
		return invalid("networkProfile", "The properties networkInterfaces and networkInterfaceConfigurations cannot be given together.")
	case len(existing)+len(inline) == 0:
		return invalid("networkProfile", "The network profile of virtual machine '%s' must have at least one network interface.", arm.Name(id))
	case len(inline) > 0 && profile.Str("networkApiVersion") == "":
		return invalid("networkProfile.networkApiVersion", "Required parameter 'networkProfile.networkApiVersion' is missing (null).")
	}
	for _, n := range existing {
		nic := n.Str("id")
		found := t.Peek(nic)
		if found == nil {
			return arm.Errorf(http.StatusBadRequest, "InvalidResourceReference",
				"Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", nic, id)
		}
		if err := network.CheckReserved(t, found, id); err != nil {
			return err
		}
		for _, user := range t.Referrers(nic) {
			if arm.Key(user) != arm.Key(id) {
				return arm.Errorf(http.StatusBadRequest, "NicInUse", "Network Interface %s is used by existing resource %s. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.", nic, user)
			}
		}
	}
	for _, c := range inline {
		if err := network.CheckInline(t, id, location, c); err != nil {
			return err
		}
	}
	return nil
}
