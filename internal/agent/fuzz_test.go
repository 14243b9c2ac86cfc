package agent

import (
	"strings"
	"testing"
)

// What an address is read as is written as the same address, and each of its parts can be
// a name: none begins an option or leaves a directory.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a", "a@b", "a@b.azure", "a@.azure", "a@", "@b", "@b.azure", "a@b@c", "a@b.c.d", "-a", "a\n", "../a", "ä", strings.Repeat("a", 64)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		check := func(a Address, again Address, err error) {
			t.Helper()
			if err != nil || a != again {
				t.Errorf("%q is %+v, and %q is %+v: %v", in, a, a.String(), again, err)
			}
			for _, name := range []string{a.Agent, a.Host, a.Provider} {
				if name == "" {
					continue
				}
				if len(name) > maxName || name[0] == '-' || strings.ContainsFunc(name, func(r rune) bool {
					return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
				}) {
					t.Errorf("%q has the name %q", in, name)
				}
			}
		}
		if a, err := ParseAddress(in); err == nil {
			again, err := ParseAddress(a.String())
			check(a, again, err)
		} else if KindOf(err) != KindUsage || strings.ContainsAny(err.Error(), "\x1b\n\x07") {
			t.Errorf("%q is refused with %q", in, err)
		}
		if a, err := ParseHostAddress(in); err == nil {
			again, err := ParseHostAddress(a.String())
			check(a, again, err)
		} else if KindOf(err) != KindUsage || strings.ContainsAny(err.Error(), "\x1b\n\x07") {
			t.Errorf("%q is refused with %q", in, err)
		}
	})
}

// Ids are parts of paths: what is read as one has one spelling.
func FuzzIDs(f *testing.F) {
	f.Add(string(NewID()))
	f.Add(string(NewHostID()))
	f.Add("host-../../0123456789abcdef0123456789ab")
	f.Fuzz(func(t *testing.T, in string) {
		host, err := ParseHostID(in)
		if err == nil && (string(host) != in || strings.ContainsAny(in, "/.\x00\n ") || !strings.HasPrefix(in, "host-")) {
			t.Errorf("%q is the host id %q", in, host)
		}
		id, err := ParseID(in)
		if err == nil && (string(id) != in || strings.ContainsAny(in, "/.\x00\n ")) {
			t.Errorf("%q is the agent id %q", in, id)
		}
	})
}
