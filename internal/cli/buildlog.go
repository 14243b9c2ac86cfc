package cli

import (
	"errors"
	"sync"

	"mngr/internal/ctl"
	"mngr/internal/dockerbuild"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// buildLog shows what docker build says on the machine.
type buildLog struct {
	printer *output.Printer

	mu    sync.Mutex
	lines int
}

// showBuild lets a build report to the user: its output line by line, and how much of the
// context has been sent.
func (a *App) showBuild(b *fleet.Build, progress *output.Progress) *buildLog {
	log := &buildLog{printer: a.printer()}
	if b != nil {
		b.Output = log.line
		b.Sent = func(bytes, all int64) {
			progress.Detail(dockerbuild.Megabytes(bytes) + " of " + dockerbuild.Megabytes(all))
		}
	}
	return log
}

func (l *buildLog) line(text string) {
	if l.printer.Quiet {
		return
	}
	l.mu.Lock()
	l.lines++
	l.mu.Unlock()
	if l.printer.Format == output.JSONL {
		// A reader that has gone away shows itself with the result.
		_ = l.printer.Emit(output.Result{Event: "build_output", Data: map[string]string{"line": text}})
		return
	}
	l.printer.Note("    %s", text)
}

// failed shows the end of a failed build's output where it was not shown as it came.
func (l *buildLog) failed(err error) {
	failure, ok := errors.AsType[*ctl.Error](err)
	if !ok || failure.Code != ctl.CodeBuild || failure.Detail == "" {
		return
	}
	l.mu.Lock()
	shown := l.lines > 0
	l.mu.Unlock()
	if !shown {
		l.printer.Text(failure.Detail)
	}
}
