package azlocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/instance"
)

// lookAgain is how often --follow looks for what is new.
const lookAgain = 100 * time.Millisecond

type logList struct {
	Entries []activity.Entry `json:"entries"`
}

// logFilter says which entries are shown.
type logFilter struct {
	writes, arm, failed            bool
	since                          string
	principal, operation, resource string

	from time.Time
}

func newLog() *cobra.Command {
	var (
		f      logFilter
		follow bool
	)
	cmd := &cobra.Command{
		Use: "log", Args: cobra.NoArgs,
		Short: "Show what the local Azure was asked for: who, what, with which outcome",
		Long: `Show what the local Azure was asked for, oldest first, also after it has ended: each
request with its status and how long the answer took, and how the operation ended that it
began, after how long. With --follow the end of an operation is a line of its own.

With --writes only the requests to ARM that want to change something, whether they were
allowed to or not: no reads, no tokens, no polling. In --principal, --operation and
--resource, * stands for any characters; case does not matter.`,
		Example: `  mngr azure local log --since 5m
  mngr azure local log --failed --follow
  mngr azure local log --operation '*virtualMachines/*' --principal owner
  mngr azure local log --writes --since "$(date --rfc-3339=ns | tr ' ' T)" --format json`,
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.writes, "writes", false, "only requests that want to change something")
	flags.BoolVar(&f.arm, "arm", false, "only requests to ARM: no tokens, no metadata, no ends of operations")
	flags.BoolVar(&f.failed, "failed", false, "only what was refused, cut, failed or canceled")
	flags.StringVar(&f.since, "since", "", "only what came at or after this time (RFC 3339), or within this time from now (5m)")
	flags.StringVar(&f.principal, "principal", "", "only what a principal asked for: its name, or its object id")
	flags.StringVar(&f.operation, "operation", "", "only operations with such a name")
	flags.StringVar(&f.resource, "resource", "", "only resources with such an id")
	flags.BoolVar(&follow, "follow", false, "go on with what comes, until interrupted")
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if f.from, err = parseSince(f.since, time.Now()); err != nil {
			return err
		}
		if follow {
			return f.follow(cmd, *format)
		}
		all := logList{Entries: []activity.Entry{}}
		inst, err := load()
		if err != nil && !errors.Is(err, instance.ErrNone) {
			return err
		}
		if err == nil {
			if all.Entries, err = activity.Requests(inst.Path(activity.FileName), f.keeps); err != nil {
				return err
			}
		}
		return emit(cmd.OutOrStdout(), *format, all, all.Entries, all.print)
	}
	return cmd
}

// keeps tells whether an entry is shown.
func (f logFilter) keeps(e activity.Entry) bool {
	matches := func(pattern string, texts ...string) bool {
		for _, text := range texts {
			if arm.Wildcard(pattern, text) {
				return true
			}
		}
		return pattern == ""
	}
	return (!f.writes || e.Write()) && (!f.arm || e.ARM()) && (!f.failed || e.Trouble()) && !e.Time.Before(f.from) &&
		matches(f.principal, e.Name, e.Principal) && matches(f.operation, e.Operation) && matches(f.resource, e.Resource)
}

// follow shows entries as they come. JSON is one object a line, for there is no end.
func (f logFilter) follow(cmd *cobra.Command, format string) error {
	if err := checkFormat(format); err != nil {
		return err
	}
	if format == "json" {
		return &Problem{Cause: "what is followed has no end, and so is no one JSON document", Remedy: "take --format jsonl", Misuse: true}
	}
	inst, err := load()
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	return activity.Follow(cmd.Context(), inst.Path(activity.FileName), lookAgain, func(e activity.Entry) error {
		switch {
		case !f.keeps(e):
			return nil
		case format == "jsonl":
			return json.NewEncoder(jsonOut{out}).Encode(e)
		}
		_, err := fmt.Fprintln(out, line(e, "%s  %-10s %-12s %-12s %8s  %-10s  %s  %s"))
		return err
	})
}

// parseSince reads a point in time, or how long ago it was; "" is the beginning.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, &Problem{Cause: fmt.Sprintf("%q is neither a time (2026-01-31T12:00:00Z) nor how long ago (5m)", text), Remedy: "give such a time", Misuse: true}
	}
	return at, nil
}
