package azlocal

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"mngr/internal/azlocal/activity"
)

func (l logList) print(w io.Writer) error {
	if len(l.Entries) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tPRINCIPAL\tSTATUS\tTOOK\tCODE\tOPERATION\tRESOURCE")
	for _, e := range l.Entries {
		fmt.Fprintln(t, line(e, "%s\t%s\t%s\t%s\t%s\t%s\t%s"))
	}
	return t.Flush()
}

// line is an entry for people, in a format of seven texts.
func line(e activity.Entry, format string) string {
	return fmt.Sprintf(format, e.Time.Format("15:04:05.000"), dash(cmp.Or(e.Name, e.Principal)), outcome(e), took(e), dash(e.Code), e.Operation, dash(e.Resource))
}

// outcome is the status, or how an operation ended, with the fault that decided it.
func outcome(e activity.Entry) string {
	status := fmt.Sprint(e.Status)
	switch {
	case e.Ended != "":
		status = string(e.Ended)
	case e.Status == 0 && e.Method == "":
		status = "-"
	case e.Status == 0:
		status = "cut"
	}
	if e.Fault != "" {
		status += " (" + e.Fault + ")"
	}
	return status
}

// took is how long the answer, or the operation, took.
func took(e activity.Entry) string {
	if e.Method == "" && e.Ended == "" {
		return "-"
	}
	d := time.Duration(e.Millis * float64(time.Millisecond))
	switch {
	case d < time.Second:
		d = d.Round(100 * time.Microsecond)
	default:
		d = d.Round(100 * time.Millisecond)
	}
	return d.String()
}

func dash(s string) string { return cmp.Or(s, "-") }
