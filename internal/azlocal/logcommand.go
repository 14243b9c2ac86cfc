package azlocal

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/instance"
)

type logList struct {
	Entries []activity.Entry `json:"entries"`
}

func newLog() *cobra.Command {
	var writes bool
	var since string
	cmd := &cobra.Command{
		Use: "log", Args: cobra.NoArgs,
		Short: "Show what the local Azure was asked for: who, what, with which outcome",
		Long: `Show what the local Azure was asked for, oldest first, also after it has ended.

With --writes only the requests to ARM that want to change something, whether they were
allowed to or not: no reads, no tokens, no polling.`,
		Example: "  mngr azure local log --since 5m\n  mngr azure local log --writes --since \"$(date --rfc-3339=ns | tr ' ' T)\" --format json",
	}
	cmd.Flags().BoolVar(&writes, "writes", false, "only requests that want to change something")
	cmd.Flags().StringVar(&since, "since", "", "only what came at or after this time (RFC 3339), or within this time from now (5m)")
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		from, err := parseSince(since, time.Now())
		if err != nil {
			return err
		}
		all := logList{Entries: []activity.Entry{}}
		inst, err := load()
		if err != nil && !errors.Is(err, instance.ErrNone) {
			return err
		}
		if err == nil {
			all.Entries, err = activity.Read(inst.Path(activity.FileName), func(e activity.Entry) bool {
				return (!writes || e.Write()) && !e.Time.Before(from)
			})
			if err != nil {
				return err
			}
		}
		return emit(cmd.OutOrStdout(), *format, all, all.Entries, all.print)
	}
	return cmd
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
		return at, &Problem{Cause: fmt.Sprintf("%q is neither a time (2026-01-31T12:00:00Z) nor how long ago (5m)", text), Remedy: "see `mngr azure local log --help`", Misuse: true}
	}
	return at, nil
}

func (l logList) print(w io.Writer) error {
	if len(l.Entries) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tPRINCIPAL\tSTATUS\tCODE\tOPERATION\tRESOURCE")
	for _, e := range l.Entries {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.Format("15:04:05.000"), dash(e.Principal), outcome(e), dash(e.Code), e.Operation, dash(e.Resource))
	}
	return t.Flush()
}

// outcome is the status, with the fault that decided it.
func outcome(e activity.Entry) string {
	status := fmt.Sprint(e.Status)
	if e.Status == 0 {
		status = "cut"
	}
	if e.Fault != "" {
		status += " (" + e.Fault + ")"
	}
	return status
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
