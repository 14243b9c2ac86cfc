package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
	"mngr/internal/plain"
)

func newStart(app *App) *cobra.Command {
	var attach bool
	var o fleet.StartOptions
	cmd := &cobra.Command{
		Use:   "start AGENT...",
		Short: "Start stopped agents and their hosts",
		Long: `Start stopped agents and their hosts. The address, the host keys and all files are
the same as before; agents that ran when the host stopped run again. A host that stopped
itself says why. One for which Azure has no room loses nothing, and may be tried again.`,
		Example:           "  mngr start my-agent\n  mngr start my-agent --connect",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			if attach && len(args) > 1 {
				return agent.Errorf(agent.KindUsage, "--connect takes one agent")
			}
			if attach && o.NoWait {
				return agent.Errorf(agent.KindUsage, "--connect and --no-wait exclude each other")
			}
			return runStart(cmd.Context(), app, args, o, attach)
		},
	}
	cmd.Flags().BoolVar(&attach, "connect", false, "attach this terminal afterwards")
	cmd.Flags().BoolVar(&o.NoWait, "no-wait", false, "return once Azure has accepted the start; agents that ran come up with their host")
	return cmd
}

func runStart(ctx context.Context, app *App, names []string, o fleet.StartOptions, attach bool) error {
	f, rows, err := app.find(ctx, names)
	if err != nil {
		return err
	}
	if attach && !app.interactive() {
		return agent.Errorf(agent.KindUsage, "--connect needs a terminal")
	}
	groups := fleet.ByHost(rows)
	app.left.Store(leftOfStart(groups))
	results := make([]fleet.Started, len(groups))
	err = app.eachHost(groups, func(n int, group []fleet.Row, phase agent.Progress) error {
		var err error
		results[n], err = f.Start(ctx, group, o, phase)
		return err
	})
	err = errors.Join(err, app.printStarted(results))
	if err != nil || !attach {
		return err
	}
	return connect(ctx, f, fleet.Row{Agent: rows[0].Agent, Host: runningHost(results[0].Host)})
}

// stopReason says why a host had stopped itself, before it was started.
type stopReason struct {
	Host   string     `json:"host"`
	Cause  string     `json:"cause"` // as in ctl.LastStop
	At     *time.Time `json:"at"`
	Detail string     `json:"detail,omitempty"`
}

func (a *App) printStarted(results []fleet.Started) error {
	started, accepted, reasons, booted := []string{}, []string{}, []stopReason{}, false
	ended := []fleet.EndedAgent{}
	for _, r := range results {
		started, ended = append(started, r.Agents...), append(ended, r.Ended...)
		booted = booted || r.Booted
		if r.Accepted {
			accepted = append(accepted, r.Host.Name)
		}
		if r.LastStop != nil {
			reasons = append(reasons, newStopReason(r))
		}
		a.printer().WarnAll(r.Warnings)
	}
	err := a.printer().Emit(output.Result{
		Event: "started",
		Data: map[string]any{"started_agents": started, "count": len(started), "was_host_started": booted, "ended_agents": ended,
			"accepted_hosts": accepted, "stop_reasons": reasons},
		Human: func(w io.Writer) error {
			for _, r := range reasons {
				fmt.Fprintln(w, plain.Escape(r.line()))
			}
			for _, h := range accepted {
				fmt.Fprintf(w, "Azure is starting host %s; agents that ran come up with it\n", h)
			}
			running := slices.DeleteFunc(slices.Clone(started), func(name string) bool {
				return slices.ContainsFunc(ended, func(e fleet.EndedAgent) bool { return e.Name == name })
			})
			if len(running) > 0 {
				fmt.Fprintf(w, "%s: running\n", strings.Join(running, ", "))
			}
			for _, e := range ended {
				fmt.Fprintln(w, endedLine(e))
			}
			return nil
		},
	})
	done, bills := startedWords(results)
	return unwritten(err, bills, done, "mngr list # shows it; mngr stop ends the bill")
}

func endedLine(e fleet.EndedAgent) string {
	if e.ExitCode == nil {
		return e.Name + ": started, and ended already"
	}
	return fmt.Sprintf("%s: started, and ended already with code %d", e.Name, *e.ExitCode)
}

func newStopReason(r fleet.Started) stopReason {
	s := stopReason{Host: r.Host.Name, Cause: r.LastStop.Cause, Detail: r.LastStop.Detail}
	if !r.LastStop.At.IsZero() {
		s.At = new(r.LastStop.At.UTC())
	}
	return s
}

// line tells since when it was idle, where its guest wrote that down.
func (s stopReason) line() string {
	line := "host " + s.Host + " had stopped itself: " + s.Cause
	if s.Cause == "evicted" {
		line = "host " + s.Host + " was evicted by Azure"
	}
	var detail struct {
		At   time.Time `json:"at"`
		Idle int       `json:"idle_seconds"`
	}
	if json.Unmarshal([]byte(s.Detail), &detail) == nil && detail.Idle > 0 && !detail.At.IsZero() {
		line += " since " + detail.At.Add(-time.Duration(detail.Idle)*time.Second).UTC().Format(time.DateTime+" UTC")
	}
	if s.At != nil {
		line += ", at " + s.At.Format(time.DateTime+" UTC")
	}
	return line
}
