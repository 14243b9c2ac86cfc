package insights

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// Provider answers from the log at Path.
type Provider struct{ Path string }

// Routes are the operations of this provider ("Activity Logs - List", api-version 2015-04-01).
func (p Provider) Routes() []fabric.Route {
	return []fabric.Route{{
		Method: http.MethodGet, Pattern: "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values",
		Action: "Microsoft.Insights/eventtypes/values/read", Handle: p.list,
	}}
}

var (
	since    = regexp.MustCompile(`(?i)^eventTimestamp ge '([^']+)'$`)
	until    = regexp.MustCompile(`(?i)^eventTimestamp le '([^']+)'$`)
	resource = regexp.MustCompile(`(?i)^resourceUri eq '([^']+)'$`)
)

// filter is what $filter may ask for; the start of the time is required, as on Azure.
type filter struct {
	from, to time.Time
	resource string
}

func parse(text string) (filter, bool) {
	var f filter
	for clause := range strings.SplitSeq(text, " and ") {
		var err error
		clause = strings.TrimSpace(clause)
		if m := since.FindStringSubmatch(clause); m != nil {
			f.from, err = time.Parse(time.RFC3339Nano, m[1])
		} else if m := until.FindStringSubmatch(clause); m != nil {
			f.to, err = time.Parse(time.RFC3339Nano, m[1])
		} else if m := resource.FindStringSubmatch(clause); m != nil {
			f.resource = m[1]
		} else {
			return f, false
		}
		if err != nil {
			return f, false
		}
	}
	return f, !f.from.IsZero()
}

// keeps tells whether Azure's log has an entry: what was written, by a user or by Azure.
func (f filter) keeps(e activity.Entry) bool {
	return (e.Write() || e.Method == "" && e.Resource != "") && !e.Time.Before(f.from) && (f.to.IsZero() || !e.Time.After(f.to)) &&
		(f.resource == "" || strings.EqualFold(e.Resource, f.resource))
}

// list answers the youngest entries first.
func (p Provider) list(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	f, ok := parse(r.Query.Get("$filter"))
	if !ok {
		return nil, arm.Errorf(http.StatusBadRequest, "BadRequest", "The filter '%s' is invalid: it needs eventTimestamp ge '…'.", r.Query.Get("$filter"))
	}
	entries, err := activity.Read(p.Path, f.keeps)
	if err != nil {
		return nil, err
	}
	slices.Reverse(entries)
	rows := make([]doc.Object, 0, len(entries))
	for _, e := range entries {
		status := "Accepted"
		if e.Status >= http.StatusBadRequest || e.Status == 0 {
			status = "Failed"
		}
		rows = append(rows, doc.Object{
			"operationName": named(e.Operation), "status": named(status), "eventTimestamp": e.Time.UTC().Format(time.RFC3339Nano),
			"caller": e.Principal, "resourceId": e.Resource, "correlationId": e.Correlation,
		})
	}
	return arm.List(r, rows), nil
}

func named(value string) doc.Object { return doc.Object{"value": value, "localizedValue": value} }
