package cli

import (
	"bytes"
	"strings"
	"testing"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// What was taken back has not failed: what came before it has.
func TestUndoingIsNoFailure(t *testing.T) {
	for _, undo := range []string{fleet.PhaseUndo, fleet.PhaseForget, fleet.PhaseStopAgain, fleet.PhaseNameBack} {
		var out, shown bytes.Buffer
		app := newApp(output.Streams{Out: &out, Err: &shown})
		app.global.format = "human"
		_ = app.withProgress(func(phase agent.Progress) error {
			phase("looking")
			phase(undo)
			phase("recording it")
			return agent.Errorf(agent.KindExists, "taken")
		})
		if text := shown.String(); !strings.Contains(text, "! looking") || strings.Contains(text, "! recording") {
			t.Errorf("%s: %s", undo, text)
		}
	}
}
