package cli

import (
	"slices"

	"mngr/internal/agent/preset"
)

// knownTypes lists what --type accepts.
func knownTypes() []string {
	return append([]string{"command", "shell"}, preset.Names()...)
}

func knownType(name string) bool { return slices.Contains(knownTypes(), name) }
