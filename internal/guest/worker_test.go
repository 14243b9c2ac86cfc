package guest

import (
	"testing"

	"mngr/internal/ctl"
)

// Requests to mngrd must not keep a host awake, and everything else must.
func TestIsQuestion(t *testing.T) {
	for command, want := range map[string]bool{
		"exec " + ctl.ContainerPath + " ctl": true, // as internal/fleet sends it
		ctl.ContainerPath + " ctl":           true,
		"'" + ctl.ContainerPath + "' ctl":    true,
		ctl.ContainerPath + " ctl; sleep 9":  false,
		"exec sleep 9":                       false,
		ctl.ContainerPath:                    false,
		"git status":                         false,
	} {
		if got := isQuestion(command, ctl.ContainerPath); got != want {
			t.Errorf("%q: %v, want %v", command, got, want)
		}
	}
}
