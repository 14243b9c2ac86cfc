package compute

import (
	"crypto/rsa"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"

	"mngr/internal/azlocal/doc"
)

const (
	maxCustomData = 65535 // decoded bytes, of userData too
	minRSABits    = 2048
)

var (
	machineName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?$`)
	computerName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$`)
)

// checkProfile refuses what is wrong with names, users, keys and custom data.
func checkProfile(name string, profile doc.Object) error {
	computer := profile.Str("computerName")
	if computer == "" {
		computer = strings.NewReplacer("_", "-").Replace(name)
	}
	switch {
	case !machineName.MatchString(name):
		return invalid("vmName", `The entity name 'vmName' is invalid according to its validation rule: ^[^_\W][\w-._]{0,79}(?<![-.])$.`)
	case profile == nil:
		return missing("osProfile")
	case profile.Obj("windowsConfiguration") != nil:
		return invalid("osProfile.windowsConfiguration", "Property 'osProfile.windowsConfiguration' is not applicable to a virtual machine with operating system type 'Linux'.")
	case !computerName.MatchString(computer):
		return invalid("computerName", "Linux host name cannot exceed 64 characters in length or contain the following characters: ` ~ ! @ # $ %% ^ & * ( ) = + _ [ ] { } \\ | ; : ' \" , < > / ?.")
	}
	if err := checkUser(profile.Str("adminUsername")); err != nil {
		return err
	}
	if err := checkLogin(profile); err != nil {
		return err
	}
	return checkData("customData", profile.Get("customData"), "Custom data in OSProfile must be in Base64 encoding and with a maximum length of 87380 characters.")
}

func checkUser(user string) error {
	switch {
	case user == "":
		return missing("adminUsername")
	case len(user) > 64 || strings.HasSuffix(user, ".") || strings.ContainsAny(user, "\\/\"[]:|<>+=;,?*@#()!& \t\r\n"):
		return invalid("adminUsername", "The Admin Username specified is not allowed.")
	case slices.Contains(reservedUsers(), strings.ToLower(user)):
		return invalid("adminUsername", "The Admin Username specified is not allowed.")
	}
	return nil
}

// reservedUsers is the list in the documentation of osProfile.adminUsername.
func reservedUsers() []string {
	return strings.Fields("administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5")
}

// checkLogin refuses a machine that nobody could log in to, or with too weak a secret.
func checkLogin(profile doc.Object) error {
	linux := profile.Obj("linuxConfiguration")
	keys, password := linux.List("ssh", "publicKeys"), profile.Str("adminPassword")
	switch {
	case linux.Bool("disablePasswordAuthentication") && password != "":
		return invalid("adminPassword", "Parameter 'adminPassword' is not allowed.")
	case linux.Bool("disablePasswordAuthentication") && len(keys) == 0:
		return invalid("linuxConfiguration.ssh.publicKeys", "Authentication using either SSH or by user name and password must be enabled in Linux profile.")
	case password == "" && len(keys) == 0:
		return missing("adminPassword")
	case password != "" && !strongPassword(password):
		return invalid("adminPassword", "The supplied password must be between 6-72 characters long and must satisfy at least 3 of password complexity requirements from the following:\r\n1) Contains an uppercase character\r\n2) Contains a lowercase character\r\n3) Contains a numeric digit\r\n4) Contains a special character\r\n5) Control characters are not allowed")
	}
	for _, key := range keys {
		if err := checkKey(key.Str("keyData")); err != nil {
			return err
		}
		home := "/home/" + profile.Str("adminUsername") + "/.ssh/authorized_keys"
		if path := key.Str("path"); path != "" && path != home {
			return invalid("linuxConfiguration.ssh.publicKeys.path", "Destination path for SSH public keys is currently limited to its default value %s due to a known issue in Linux provisioning agent.", home)
		}
	}
	return nil
}

// strongPassword holds a password against the documented rules.
func strongPassword(password string) bool {
	if len(password) < 6 || len(password) > 72 || strings.ContainsFunc(password, unicode.IsControl) {
		return false
	}
	kinds := 0
	for _, kind := range []func(rune) bool{unicode.IsUpper, unicode.IsLower, unicode.IsDigit,
		func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }} {
		if strings.ContainsFunc(password, kind) {
			kinds++
		}
	}
	return kinds >= 3
}

func checkKey(line string) error {
	bad := invalid("linuxConfiguration.ssh.publicKeys.keyData", "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.")
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return bad
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519:
		return nil
	case ssh.KeyAlgoRSA:
		plain, ok := key.(ssh.CryptoPublicKey)
		if !ok {
			return bad
		}
		if public, ok := plain.CryptoPublicKey().(*rsa.PublicKey); ok && public.N.BitLen() >= minRSABits {
			return nil
		}
	}
	return bad
}

// checkData refuses custom or user data that is no Base64, or too much.
func checkData(target string, v any, text string) error {
	given, isText := v.(string)
	data, err := base64.StdEncoding.DecodeString(given)
	if v != nil && !isText || err != nil || len(data) > maxCustomData {
		return invalid(target, "%s", text)
	}
	return nil
}
