package azure

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// vmName is the one name that a host's machine can have, so that ARM itself lets only
// one of two creators of a host win. It is a legal host name too (at most 45 characters).
func vmName(host string) string {
	sum := sha256.Sum256([]byte(host))
	return "mngr-" + stem(host) + "-" + hex.EncodeToString(sum[:4])
}

// MachineName is what the machine of a host was named when the host was made. Renaming the
// host does not change it.
func MachineName(host string) string { return vmName(host) }

// stem is what is left of a host's name in lower-case letters, digits and dashes.
func stem(host string) string {
	s := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		}
		return '-'
	}, host)
	s = strings.Trim(s, "-")
	s = strings.Trim(s[:min(len(s), 31)], "-")
	if s == "" {
		return "host"
	}
	return s
}

// The names of a machine's parts. Azure may lengthen those of an interface and an
// address made inline; the disk's is kept, and tells whose it is (its tags are a copy
// of the machine's first ones).
func diskName(vm string) string { return vm + "-os" }
func nicName(vm string) string  { return vm + "-nic" }
func ipName(vm string) string   { return vm + "-ip" }

// roleGUID is the id of a subscription's self-deallocate role: ids are unique in a
// tenant, so that every subscription needs its own.
func roleGUID(subscription string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("mngr-self-deallocate-role/"+strings.ToLower(subscription))).String()
}

// SelfStopRole is the GUID of the role with which machines of a subscription stop
// themselves.
func SelfStopRole(subscription string) string { return roleGUID(subscription) }

// assignmentGUID is the id of a machine's role assignment: the same for the same
// machine, role and principal, so that asking twice does no harm.
func assignmentGUID(vmID, role, principal string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL,
		[]byte(strings.ToLower(vmID+"|"+role+"|"+principal))).String()
}
