package cli

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// unwritten tells that a command has done its work and could not write its result: the work
// is the news. remains says that what is there now bills.
func unwritten(err error, remains bool, done, hint string) error {
	if err == nil {
		return nil
	}
	kind := agent.KindInternal
	if remains {
		kind = agent.KindRemains
	}
	// Not wrapped: a reader that has gone ends other commands quietly, and not this one.
	return agent.Errorf(kind, "%s; but the result cannot be written: %v", done, err).WithHint("%s", hint)
}

// readerLeft tells an end that is no failure: a command that only shows things, whose reader
// has seen enough.
func (a *App) readerLeft(err error) bool {
	if _, ok := errors.AsType[*output.Exit](err); ok || a.left.Load() != nil {
		return false
	}
	return brokenPipe(err, os.Stdout)
}

// brokenPipe tells an error of writing to a file whose reader has gone.
func brokenPipe(err error, file *os.File) bool {
	failed, ok := errors.AsType[*fs.PathError](err)
	return ok && failed.Path == file.Name() && errors.Is(failed.Err, syscall.EPIPE)
}

// startedWords say what start has done, for whoever cannot read its result; bills tells
// whether a host runs for it.
func startedWords(results []fleet.Started) (done string, bills bool) {
	var words []string
	for _, r := range results {
		running := slices.DeleteFunc(slices.Clone(r.Agents), func(name string) bool {
			return slices.ContainsFunc(r.Ended, func(e fleet.EndedAgent) bool { return e.Name == name })
		})
		if len(running) > 0 {
			words = append(words, strings.Join(running, ", ")+": running")
		}
		for _, e := range r.Ended {
			words = append(words, endedLine(e))
		}
		switch {
		case r.Accepted:
			words = append(words, "Azure is starting "+r.Host.Name+", which bills")
		case r.Booted || len(r.Agents) > 0:
			words = append(words, "host "+r.Host.Name+" runs, and bills")
		}
	}
	if len(words) == 0 {
		return "nothing was started", false
	}
	return strings.Join(words, "; "), true
}

// lines puts what was done into one line.
func lines(all []string, none string) string {
	if len(all) == 0 {
		return none
	}
	return strings.Join(all, "; ")
}
