package azure

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestParseCIDRs(t *testing.T) {
	for name, c := range map[string]struct{ in, want []string }{
		"addresses and ranges": {[]string{"203.0.113.4", "10.1.2.3/8"}, []string{"203.0.113.4/32", "10.0.0.0/8"}},
		"twice":                {[]string{"203.0.113.4", "203.0.113.4/32"}, []string{"203.0.113.4/32"}},
		"one in another":       {[]string{"203.0.113.4", "10.0.0.0/8", "203.0.113.0/24"}, []string{"10.0.0.0/8", "203.0.113.0/24"}},
		"everybody":            {[]string{"203.0.113.4", "0.0.0.0/0"}, []string{"0.0.0.0/0"}},
		"nobody":               {[]string{}, []string{}},
		"nothing said":         {nil, nil},
	} {
		got, err := parseCIDRs(c.in)
		if err != nil || !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, %v; want %v", name, got, err, c.want)
		}
	}
	for _, wrong := range []string{"me", "", "10.0.0.0/33", "2001:db8::1", "2001:db8::/32", "::ffff:10.0.0.1", "fe80::1%eth0", "Internet"} {
		if got, err := parseCIDRs([]string{"10.0.0.1", wrong}); err == nil {
			t.Errorf("%q became %v", wrong, got)
		}
	}
}

// What is left of a list admits the same addresses as the list, and nothing overlaps.
func TestParseCIDRsAdmitsTheSame(t *testing.T) {
	prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
		a := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")))
		return netip.PrefixFrom(a, rapid.IntRange(0, 32).Draw(t, "bits"))
	})
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.SliceOf(prefix).Draw(t, "given")
		probe := prefix.Draw(t, "probe").Addr()
		var texts []string
		want := false
		for _, p := range given {
			texts = append(texts, p.String())
			want = want || p.Contains(probe)
		}
		left, err := parseCIDRs(texts)
		if err != nil {
			t.Fatal(err)
		}
		hits := 0
		for _, s := range left {
			if netip.MustParsePrefix(s).Contains(probe) {
				hits++
			}
		}
		if want != (hits == 1) || hits > 1 {
			t.Fatalf("%v became %v, in which %d contain %s", texts, left, hits, probe)
		}
	})
}

func TestSameSources(t *testing.T) {
	for name, c := range map[string]struct {
		have, want []string
		same       bool
	}{
		"order":              {[]string{"10.0.0.0/8", "203.0.113.4/32"}, []string{"203.0.113.4/32", "10.0.0.0/8"}, true},
		"the portal's style": {[]string{"203.0.113.4"}, []string{"203.0.113.4/32"}, true},
		"a star":             {[]string{"*"}, []string{anywhere}, true},
		"Any":                {[]string{"Any"}, []string{anywhere}, true},
		"a service tag":      {[]string{"Internet"}, []string{anywhere}, false},
		"more":               {[]string{"10.0.0.0/8", "203.0.113.4"}, []string{"203.0.113.4/32"}, false},
		"less":               {nil, []string{"203.0.113.4/32"}, false},
	} {
		if sameSources(c.have, c.want) != c.same {
			t.Errorf("%s: %v and %v: want same %v", name, c.have, c.want, c.same)
		}
	}
}
