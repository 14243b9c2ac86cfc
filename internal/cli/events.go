package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/config"
	"mngr/internal/journal"
	"mngr/internal/output"
)

// followPause is how often `mngr events --follow` looks.
const followPause = 300 * time.Millisecond

type eventFlags struct {
	provider string
	since    string
	failed   bool
	limit    int
	follow   bool
}

func newEvents(app *App) *cobra.Command {
	var flags eventFlags
	cmd := &cobra.Command{
		Use:   "events [AGENT|@HOST...]",
		Short: "Show what mngr has asked Azure to change, from this machine",
		Long: `Show what mngr has asked Azure to change, from this machine: each attempt of each write,
oldest first, with who asked, by which command, what Azure answered and under which ids
Azure knows the request.

It reads a log of this machine and asks nobody. AGENT and @HOST leave what commands did that
named them, and what befell the machine of a host of that name.

STATUS is Azure's HTTP status. "no answer" is a request whose connection broke, "sent" one
whose process has not written down what became of it: both may have been done.`,
		Example: `  mngr events
  mngr events my-agent --since 2h
  mngr events --failed --format json
  mngr events --follow`,
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runEvents(cmd.Context(), app, flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.provider, "provider", "", "only writes of this provider")
	f.StringVar(&flags.since, "since", "", "only what came at a time or later: 2h, 3d, 2026-01-31, or 2026-01-31T12:00:00Z")
	f.BoolVar(&flags.failed, "failed", false, "only what was refused or got no answer")
	f.IntVarP(&flags.limit, "limit", "n", 0, "no more than the last N")
	f.BoolVar(&flags.follow, "follow", false, "go on with what comes; requests are shown when they go out and when they are answered")
	return cmd
}

func runEvents(ctx context.Context, app *App, flags eventFlags, targets []string) error {
	keep, err := flags.filter(targets, time.Now())
	if err != nil {
		return err
	}
	format := app.printer().Format
	if flags.follow && format == output.JSON {
		return agent.Errorf(agent.KindUsage, "--follow never ends, and --format json is one object").WithHint("mngr events --follow --format jsonl")
	}
	conf, err := app.config()
	if err != nil {
		return err
	}
	history, tail, err := eventLog(conf).Open()
	if err != nil {
		return err
	}
	defer tail.Close()
	if err := flags.knownProvider(conf, history.Entries); err != nil {
		return err
	}
	rows := slices.DeleteFunc(history.Entries, func(e journal.Entry) bool { return !keep(e) })
	if flags.limit > 0 && len(rows) > flags.limit {
		rows = rows[len(rows)-flags.limit:]
	}
	if err := app.printEvents(rows, history.Unreadable, flags.follow); err != nil || !flags.follow {
		return err
	}
	err = tail.Follow(ctx, followPause, func(e journal.Entry) error {
		if !keep(e) {
			return nil
		}
		return app.printEvent(e)
	})
	return err
}

// knownProvider refuses a provider that neither settings nor log know: the log outlives
// instances.
func (f eventFlags) knownProvider(conf *config.Config, logged []journal.Entry) error {
	if f.provider == "" || slices.ContainsFunc(logged, func(e journal.Entry) bool { return e.Provider == f.provider }) {
		return nil
	}
	_, err := conf.Provider(f.provider)
	return err
}

// filter is what the flags leave. An agent's host is named after it unless it was given a
// host; what has another name is found by the commands that named it.
func (f eventFlags) filter(targets []string, now time.Time) (func(journal.Entry) bool, error) {
	if f.limit < 0 {
		return nil, agent.Errorf(agent.KindUsage, "--limit %d is no number of rows", f.limit)
	}
	since, err := parseSince(f.since, now)
	if err != nil {
		return nil, err
	}
	var machines []string
	for _, t := range targets {
		a, err := agent.ParseAddress(t)
		host := a.Host
		switch {
		case strings.HasPrefix(t, "@"):
			if a, err = agent.ParseHostAddress(t); err == nil {
				host = a.Host
			}
		case err == nil && host == "":
			host = a.Agent
		}
		if err != nil {
			return nil, err
		}
		machines = append(machines, azure.MachineName(host))
	}
	return func(e journal.Entry) bool {
		return !e.Time.Before(since) && (!f.failed || e.Failed()) && (f.provider == "" || e.Provider == f.provider) &&
			(len(targets) == 0 || concerns(e, targets, machines))
	}, nil
}

// concerns tells whether a command named one of the targets, or a request was about the
// machine of one or a part of it.
func concerns(e journal.Entry, targets, machines []string) bool {
	for _, named := range e.Targets {
		for _, t := range targets {
			if named == t || bareName(named) == t || named == bareName(t) {
				return true
			}
		}
	}
	return slices.ContainsFunc(machines, func(m string) bool { return strings.Contains(strings.ToLower(e.Resource), m) })
}

// bareName is an address without the host of an agent, and without the provider.
func bareName(address string) string {
	if host, ok := strings.CutPrefix(address, "@"); ok {
		name, _, _ := strings.Cut(host, ".")
		return "@" + name
	}
	name, _, _ := strings.Cut(address, "@")
	return name
}

// parseSince reads a time, or how long ago one was; "" is the beginning.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	ago, err := parseDuration(s)
	if err != nil || ago < 0 {
		return time.Time{}, agent.Errorf(agent.KindUsage, "--since %q is neither a time nor a duration", s).WithHint("write 2h, 3d, 2026-01-31 or 2026-01-31T12:00:00Z")
	}
	return now.Add(-ago), nil
}

// The JSON shape of events is a contract: keys are added, never changed. An event itself is
// a journal.Entry.
type eventList struct {
	Events     []journal.Entry `json:"events"`
	Unreadable int             `json:"unreadable_lines"`
}

func (a *App) printEvents(rows []journal.Entry, unreadable int, follow bool) error {
	p := a.printer()
	if unreadable > 0 && p.Format != output.JSON {
		p.Warn(fmt.Sprintf("lines of the log that cannot be read: %d (a crash or a full disk cuts one short)", unreadable), "")
	}
	switch p.Format {
	case output.JSON:
		return p.Emit(output.Result{Data: eventList{Events: append([]journal.Entry{}, rows...), Unreadable: unreadable}})
	case output.JSONL:
		for _, e := range rows {
			if err := p.Row(e); err != nil {
				return err
			}
		}
		return nil
	}
	return p.Emit(output.Result{Human: func(w io.Writer) error {
		if len(rows) == 0 && !follow {
			p.Note("no writes")
			return nil
		}
		t := output.Table{Header: []string{"TIME", "STATUS", "TOOK", "COMMAND", "WHO", "OPERATION", "RESOURCE", "REQUEST ID"}}
		for _, e := range rows {
			t.Rows = append(t.Rows, eventCells(e))
		}
		return p.WriteTable(w, t)
	}})
}

// printEvent shows one more of those that are followed.
func (a *App) printEvent(e journal.Entry) error {
	p := a.printer()
	if p.Format == output.JSONL {
		return p.Row(e)
	}
	return p.Emit(output.Result{Human: func(w io.Writer) error {
		return p.WriteLine(w, eventCells(e))
	}})
}

func eventCells(e journal.Entry) []string {
	status, took := fmt.Sprint(e.Status), time.Duration(e.Millis*float64(time.Millisecond)).Round(time.Millisecond).String()
	switch {
	case e.State == journal.Sent:
		status, took = "sent", "-"
	case e.State == journal.Broken:
		status = "no answer"
	case e.Code != "":
		status += " " + e.Code
	}
	if e.Attempt > 1 {
		status += fmt.Sprintf(" (attempt %d)", e.Attempt)
	}
	who := e.Principal
	if e.PrincipalName != "" {
		who = e.PrincipalName
	}
	command, _ := strings.CutPrefix(e.Command, "mngr ")
	if len(e.Targets) > 0 {
		name, flags, _ := strings.Cut(command, " --")
		command = strings.TrimRight(name+" "+strings.Join(e.Targets, " ")+" --"+flags, "- ")
	}
	return []string{
		e.Time.Local().Format("2006-01-02 15:04:05"), status, took, command, dash(who), e.Operation, resourceName(e.Resource), dash(e.Request),
	}
}

// resourceName is a resource's id without subscription, group and types: "machine/default".
func resourceName(id string) string {
	scope, rest, below := strings.Cut(id, "/providers/")
	if !below {
		return scope[strings.LastIndex(scope, "/")+1:]
	}
	var names []string
	for part := range strings.SplitSeq(rest, "/providers/") {
		words := strings.Split(part, "/")
		for i := 2; i < len(words); i += 2 {
			names = append(names, words[i])
		}
		if len(words) == 1 {
			names = append(names, words...)
		}
	}
	return strings.Join(names, "/")
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
