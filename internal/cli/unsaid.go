package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"mngr/internal/agent"
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
	if _, ok := errors.AsType[*output.Exit](err); ok || a.atStake.Load() != nil || a.halfway.Load() != nil {
		return false
	}
	failed, ok := errors.AsType[*fs.PathError](err)
	return ok && failed.Path == os.Stdout.Name() && errors.Is(failed.Err, syscall.EPIPE)
}

// startedWords say what start has done, for whoever cannot read its result; bills tells
// whether a host runs for it.
func startedWords(agents, hosts []string) (done string, bills bool) {
	var words []string
	if len(agents) > 0 {
		words = append(words, fmt.Sprintf("%s run, and the hosts bill", strings.Join(agents, ", ")))
	}
	if len(hosts) > 0 {
		words = append(words, fmt.Sprintf("Azure is starting %s, which bills", strings.Join(hosts, ", ")))
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
