package insights

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
)

// clause is one comparison of $filter: a name, an operator and a value, in quotes or not.
// The documentation shows quotes; Azure's own command line leaves them out at times.
var clause = regexp.MustCompile(`(?i)^\s*([a-z]+)\s+(eq|ge|le)\s+(?:'([^']*)'|([^\s']+))\s*(?:and\s|$)`)

// filter is what $filter may ask for (documentation: Activity Logs - List). The start of
// the time is required.
type filter struct {
	from, to time.Time
	equal    map[string]string // by field in small letters
}

// fields that can be compared with a value; of eventChannels every value is taken, for all
// events here are administrative.
func isField(name string) bool {
	switch name {
	case "resourcegroupname", "resourceuri", "resourceid", "resourceprovider", "correlationid", "caller", "status", "eventchannels":
		return true
	}
	return false
}

func parse(text string) (filter, error) {
	f := filter{equal: map[string]string{}}
	for rest := text; ; {
		m := clause.FindStringSubmatchIndex(rest)
		if m == nil {
			return f, fmt.Errorf("no comparison begins at %q", rest)
		}
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return rest[m[2*i]:m[2*i+1]]
		}
		name, op, value := strings.ToLower(part(1)), strings.ToLower(part(2)), part(3)+part(4)
		if err := f.add(name, op, value); err != nil {
			return f, err
		}
		rest = rest[m[1]:]
		if strings.TrimSpace(rest) == "" {
			break
		}
	}
	if f.from.IsZero() {
		return f, fmt.Errorf("eventTimestamp ge is missing")
	}
	return f, nil
}

func (f *filter) add(name, op, value string) (err error) {
	switch {
	case name == "eventtimestamp" && op == "ge":
		f.from, err = readTime(value)
	case name == "eventtimestamp" && op == "le":
		f.to, err = readTime(value)
	case isField(name) && op == "eq":
		f.equal[name] = value
	default:
		err = fmt.Errorf("%s %s is not supported", name, op)
	}
	return err
}

// readTime takes a time without a zone for UTC, as the command line sends it.
func readTime(value string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if at, err := time.Parse(layout, value); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", value)
}

// keeps tells whether Azure's log has an entry: what was written, by a user or by Azure,
// and how it ended.
func (f filter) keeps(e activity.Entry) bool {
	if !e.Write() && (e.Method != "" || e.Resource == "" || strings.HasPrefix(e.Operation, "azlocal:")) {
		return false
	}
	if e.Time.Before(f.from) || !f.to.IsZero() && e.Time.After(f.to) {
		return false
	}
	for name, want := range f.equal {
		if name != "eventchannels" && !strings.EqualFold(value(e, name), want) {
			return false
		}
	}
	return true
}

// value is what an entry has for a field.
func value(e activity.Entry, field string) string {
	id := arm.ParseID(e.Resource)
	switch field {
	case "resourcegroupname":
		return id.Group
	case "resourceuri", "resourceid":
		return strings.TrimRight(e.Resource, "/")
	case "resourceprovider":
		return provider(e)
	case "correlationid":
		return e.Correlation
	case "caller":
		return e.Principal
	case "status":
		return status(e)
	}
	return ""
}

// provider is the namespace of what was asked for.
func provider(e activity.Entry) string {
	if namespace, _, ok := strings.Cut(e.Operation, "/"); ok && strings.Contains(namespace, ".") {
		return namespace
	}
	return arm.ParseID(e.Resource).Namespace
}

// status is how far what was asked for has come.
func status(e activity.Entry) string {
	switch {
	case e.Ended == activity.Succeeded, e.Ended == "" && (e.Status == 200 || e.Status == 204):
		return "Succeeded"
	case e.Ended != "", e.Trouble():
		return "Failed"
	}
	return "Accepted"
}
