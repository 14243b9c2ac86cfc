package azure

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestVMName(t *testing.T) {
	for host, want := range map[string]string{
		"my-agent":               "mngr-my-agent-178890c4",
		"My Agent":               "mngr-my-agent-72a5fc0f",
		"--":                     "mngr-host-d8156bae",
		"":                       "mngr-host-e3b0c442",
		"äöü":                    "mngr-host-",
		strings.Repeat("a-", 40): "mngr-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-",
	} {
		if got := vmName(host); !strings.HasPrefix(got, want) {
			t.Errorf("vmName(%q) = %q, want %q…", host, got, want)
		}
	}
}

// Whatever a host is called, its machine's name is a legal machine and host name, and
// two hosts that look alike get two names.
func TestVMNameIsLegal(t *testing.T) {
	legal := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		name := vmName(a)
		if !legal.MatchString(name) || len(name) > 45 {
			t.Errorf("vmName(%q) = %q is not legal", a, name)
		}
		if a != b && name == vmName(b) {
			t.Errorf("%q and %q share the name %q", a, b, name)
		}
	})
}

func TestGUIDsDependOnWhatTheyName(t *testing.T) {
	if roleGUID("AAAA") != roleGUID("aaaa") || roleGUID("aaaa") == roleGUID("bbbb") {
		t.Error("a role's id must follow the subscription, whatever its case")
	}
	a := assignmentGUID("/VM/a", "role", "p")
	if a != assignmentGUID("/vm/A", "ROLE", "P") {
		t.Error("ids are compared without case in Azure")
	}
	for _, other := range []string{
		assignmentGUID("/vm/b", "role", "p"), assignmentGUID("/vm/a", "role2", "p"), assignmentGUID("/vm/a", "role", "q"),
	} {
		if a == other {
			t.Error("two assignments share an id")
		}
	}
}

func TestNamedMatchesOnlyOurParts(t *testing.T) {
	want := nicName("mngr-a-01234567")
	for name, ok := range map[string]bool{
		"mngr-a-01234567-nic":      true,
		"MNGR-A-01234567-NIC":      true,
		"mngr-a-01234567-nic-8f3e": true,
		"mngr-a-01234567-nic2":     false,
		"mngr-a-01234567":          false,
		"mngr-b-01234567-nic":      false,
	} {
		if named(name, want) != ok {
			t.Errorf("named(%q, %q) = %v", name, want, !ok)
		}
	}
}
