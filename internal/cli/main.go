package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/output"
)

// Main runs the command line and returns the exit code. local is the command of the
// local Azure, which hangs below `mngr azure`.
func Main(local *cobra.Command) int {
	app := newApp(output.System(os.Getenv))
	ctx, stop := app.interruptible(context.Background())
	defer stop()
	root := newRoot(app, local)
	cmd, err := root.ExecuteContextC(ctx)
	return app.finish(cmd, err)
}

// finish prints an error once and maps it to the exit code.
func (a *App) finish(cmd *cobra.Command, err error) int {
	if err == nil {
		return output.CodeOK
	}
	if !a.running {
		err = usage(cmd, err)
	}
	if h, ok := errors.AsType[hinted](err); ok {
		kind := agent.KindInternal
		if h.Usage() {
			kind = agent.KindUsage
		}
		err = agent.Errorf(kind, "%s", firstLine(err.Error())).WithHint("%s", h.Hint())
	}
	if errors.Is(err, context.Canceled) && agent.KindOf(err) == agent.KindInternal {
		err = agent.Errorf(agent.KindCanceled, "interrupted")
	}
	if exit, ok := errors.AsType[*output.Exit](err); ok && exit.Err == nil {
		return exit.Code
	}
	if a.readerLeft(err) {
		return output.CodeOK
	}
	if e, ok := errors.AsType[ended](err); ok {
		return e.EndsWith()
	}
	a.printer().Error(err)
	return output.ExitCode(err)
}

// hinted is an error of the local Azure's, which knows none of our types.
type hinted interface {
	error
	Hint() string
	Usage() bool
}

// ended is the local Azure's way to hand on the exit code of a command in a machine, which
// has said already what there is to say.
type ended interface {
	error
	EndsWith() int
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// usage marks what the flag parser says as the user's error.
func usage(cmd *cobra.Command, err error) error {
	if _, ok := errors.AsType[*agent.Error](err); ok {
		return err
	}
	if word, ok := strings.CutPrefix(err.Error(), "unknown command "); ok {
		word, _ = strconv.QuotedPrefix(word)
		return unknownWord(cmd, strings.Trim(word, `"`), word)
	}
	return agent.Errorf(agent.KindUsage, "%w", err).WithHint("%s --help", cmd.CommandPath())
}

// unknownWord is the error of a word behind a command that takes none, or other ones.
func unknownWord(cmd *cobra.Command, word, quoted string) error {
	if !cmd.HasSubCommands() {
		return agent.Errorf(agent.KindUsage, "%s takes no arguments: %s", cmd.CommandPath(), quoted).WithHint("%s --help", cmd.CommandPath())
	}
	err := agent.Errorf(agent.KindUsage, "unknown command %s for %q", quoted, cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	near := cmd.SuggestionsFor(word)
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(shared(b, word), shared(a, word)) })
	if len(near) > 0 {
		return err.WithHint("%s %s --help # did you mean %[2]s?", cmd.CommandPath(), near[0])
	}
	return err.WithHint("%s --help", cmd.CommandPath())
}

// shared counts the bytes with which two words begin alike.
func shared(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// interruptible returns a context that the first interrupt cancels, so that a command
// undoes what it began; the second one ends the process at once.
func (a *App) interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	// A closed terminal is an interrupt too; a closed pipe fails the write, and must not end
	// the process before it has undone what it began.
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-signals:
		}
		a.cut.Store(true)
		cancel()
		select {
		case <-done:
		case <-signals:
			a.leave()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
