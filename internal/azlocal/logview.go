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
	fmt.Fprintln(t, "TIME\tPRINCIPAL\tSTATUS\tCODE\tTOOK\tENDED\tOPERATION\tRESOURCE")
	for _, e := range l.Entries {
		fmt.Fprintln(t, line(e, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s"))
	}
	return t.Flush()
}

// line is an entry for people, in a format of eight texts.
func line(e activity.Entry, format string) string {
	took := "-"
	if e.Method != "" {
		took = rounded(e.Millis)
	}
	return fmt.Sprintf(format, e.Time.Format("15:04:05.000"), shown(cmp.Or(e.Name, e.Principal)), outcome(e), shown(e.Code), took, visible(ended(e)), visible(e.Operation), shown(e.Resource))
}

// outcome is the status, with the fault that decided it.
func outcome(e activity.Entry) string {
	status := fmt.Sprint(e.Status)
	switch {
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

// ended is how the operation ended.
func ended(e activity.Entry) string {
	out := dash(string(e.Ended))
	if e.EndedCode != "" {
		out += " " + e.EndedCode
	}
	if e.EndedMS > 0 {
		out += " " + rounded(e.EndedMS)
	}
	return out
}

func rounded(millis float64) string {
	d := time.Duration(millis * float64(time.Millisecond))
	if d < time.Second {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func shown(s string) string { return dash(visible(s)) }

func dash(s string) string { return cmp.Or(s, "-") }
