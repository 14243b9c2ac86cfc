package config

import (
	"strings"
	"testing"

	"mngr/internal/agent"
)

// What docker run takes for an image is taken, and nothing else: a wrong name would be found
// out on a machine that bills.
func TestCheckImage(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	for name, ok := range map[string]bool{
		"debian":                        true,
		"debian:bookworm-slim":          true,
		"me/tools:v1.2_x":               true,
		"ghcr.io/me/tools/a__b-c:1":     true,
		"Registry.Example.com/a:1":      true,
		"localhost/a":                   true,
		"localhost:5000/a:1":            true,
		"10.0.0.4:5000/a":               true,
		"[::1]:5000/a":                  true,
		"debian@sha256:" + hex:          true,
		"ghcr.io/a/b:1@sha256:" + hex:   true,
		"sha256:" + hex:                 true,
		hex:                             true,
		"BAD:::image":                   false,
		"Debian":                        false,
		"me/Tools:1":                    false,
		"debian:":                       false,
		"debian:a:b":                    false,
		"debian@sha256:12":              false,
		"a//b":                          false,
		"a/":                            false,
		"/a":                            false,
		"-v":                            false,
		"https://ghcr.io/a":             false,
		"a b":                           false,
		"a;b":                           false,
		"a\nb":                          false,
		strings.Repeat("a", 300):        false,
		"a:" + strings.Repeat("b", 129): false,
	} {
		err := CheckImage(name)
		if ok != (err == nil) {
			t.Errorf("%q: %v", name, err)
		}
		if err != nil && (agent.KindOf(err) != agent.KindUsage || !strings.Contains(agent.HintOf(err), "debian:bookworm-slim") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: %s: %v; hint %q", name, agent.KindOf(err), err, agent.HintOf(err))
		}
		if f := containerImage(name); ok != (f == nil) {
			t.Errorf("as a setting %q: %v", name, f)
		}
	}
}
