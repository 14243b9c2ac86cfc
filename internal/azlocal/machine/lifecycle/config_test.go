package lifecycle

import (
	"net/netip"
	"testing"
)

func TestConfigCheck(t *testing.T) {
	for name, c := range map[string]struct {
		id, public string
		ok         bool
	}{
		"good":                 {"0123abcd", "127.20.0.0/16", true},
		"short id":             {"012", "127.20.0.0/16", false},
		"id for a shell":       {"$(reboot)", "127.20.0.0/16", false},
		"the host's own range": {"0123abcd", "127.0.0.0/24", false},
		"all of loopback":      {"0123abcd", "127.0.0.0/8", false},
		"no loopback":          {"0123abcd", "10.0.0.0/16", false},
	} {
		err := Config{ID: c.id, Public: netip.MustParsePrefix(c.public)}.Check()
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if (Config{ID: "0123abcd"}).Check() == nil {
		t.Error("no public addresses at all are fine")
	}
}
