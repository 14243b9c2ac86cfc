package cli

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// trail shows the phases of a command, and at its end marks the one that failed or was
// interrupted: where something was taken back then, the one before that.
type trail struct {
	app      *App
	progress *output.Progress
	back     atomic.Pointer[string] // the phase that takes something back; nil for none
}

func (a *App) newTrail() *trail { return &trail{app: a, progress: a.printer().Progress()} }

// withProgress shows the phases of act.
func (a *App) withProgress(act func(phase agent.Progress) error) error {
	t := a.newTrail()
	err := act(t.phase)
	t.end(err)
	return err
}

// phase satisfies agent.Progress.
func (t *trail) phase(name string) {
	takesBack := slices.ContainsFunc([]string{fleet.PhaseUndo, fleet.PhaseForget, fleet.PhaseStopAgain, fleet.PhaseStopAnyway, fleet.PhaseNameBack},
		func(back string) bool { return strings.HasSuffix(name, back) }) // the host's name may stand before it
	if !takesBack {
		t.progress.Phase(name)
		return
	}
	t.back.Store(&name)
	if t.app.cut.Load() {
		t.progress.Interrupted(name)
	} else {
		t.progress.Undo(name)
	}
}

func (t *trail) end(err error) {
	switch {
	case err == nil || t.tookBack(err):
		t.progress.Done()
	case t.app.cut.Load() && agent.KindOf(err) == agent.KindCanceled:
		t.progress.Interrupted("")
		t.progress.Done()
	default:
		t.progress.Fail()
	}
}

// tookBack tells whether what followed a failure or an interrupt has come to its end.
func (t *trail) tookBack(err error) bool {
	back := t.back.Load()
	switch {
	case back == nil, agent.KindOf(err) == agent.KindRemains, errors.Is(err, fleet.ErrHalfMade):
		return false
	case strings.HasSuffix(*back, fleet.PhaseStopAnyway): // it takes nothing back, and may fail for any reason
		return agent.KindOf(err) == agent.KindCanceled
	}
	return true
}
