package records

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mngr/internal/agent"
)

// Fits refuses, before anything is written, a merge that Azure would refuse. Tags of
// others on the machine count like ours; names that differ in case only are one.
func Fits(have, add map[string]string) error {
	taken := map[string]bool{}
	for name := range have {
		taken[strings.ToLower(name)] = true
	}
	used, needs := len(taken), 0
	for name := range add {
		if lower := strings.ToLower(name); !taken[lower] {
			taken[lower] = true
			needs++
		}
	}
	if used+needs > maxTags {
		return agent.Errorf(agent.KindUsage, "this needs %d more tags on the virtual machine, and %s free of Azure's %d",
			needs, are(max(0, maxTags-used)), maxTags).
			WithHint("use fewer or shorter labels, or another host")
	}
	for _, name := range slices.Sorted(maps.Keys(add)) {
		if n := utf8.RuneCountInString(add[name]); n > maxValue {
			return agent.Errorf(agent.KindUsage, "the value of tag %q has %d characters and Azure allows %d", name, n, maxValue)
		}
	}
	return nil
}

func are(n int) string {
	switch n {
	case 0:
		return "none is"
	case 1:
		return "1 is"
	}
	return strconv.Itoa(n) + " are"
}
