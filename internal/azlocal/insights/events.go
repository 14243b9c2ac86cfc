package insights

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// Kept is how long Azure keeps its log.
const Kept = 90 * 24 * time.Hour

// Provider answers from the log at Path.
type Provider struct{ Path string }

// Routes are the operations of this provider ("Activity Logs - List", api-version 2015-04-01).
func (p Provider) Routes() []fabric.Route {
	return []fabric.Route{{
		Method: http.MethodGet, Pattern: "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values",
		Action: "Microsoft.Insights/eventtypes/values/read", Handle: p.list,
	}}
}

// list answers the youngest events first.
func (p Provider) list(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	text := r.Query.Get("$filter")
	f, err := parse(text)
	if err != nil {
		return nil, arm.Errorf(http.StatusBadRequest, "BadRequest", "The filter '%s' is invalid: %s.", text, err)
	}
	if t.World().Now().Sub(f.from) > Kept+24*time.Hour {
		return nil, arm.Errorf(http.StatusBadRequest, "BadRequest", "The start time cannot be more than 90 days in the past.")
	}
	subscription, tenant := t.World().Subscription, t.World().Tenant
	return arm.OK(body(func() (any, error) {
		entries, err := activity.Read(p.Path, f.keeps)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(entries, func(a, b activity.Entry) int { return b.Time.Compare(a.Time) })
		rows := make([]doc.Object, 0, len(entries))
		for _, e := range entries {
			rows = append(rows, chosen(event(subscription, tenant, e), r.Query.Get("$select")))
		}
		return arm.List(r, rows).Body, nil
	})), nil
}

// body is made when it is encoded, after the request's transaction: it takes a while to
// read the log, and nobody waits for it.
type body func() (any, error)

// MarshalJSON makes the body.
func (b body) MarshalJSON() ([]byte, error) {
	made, err := b()
	if err != nil {
		return nil, err
	}
	return doc.Append(nil, made)
}

// chosen leaves the properties that $select names.
func chosen(event doc.Object, names string) doc.Object {
	if strings.TrimSpace(names) == "" {
		return event
	}
	out := doc.Object{}
	for name := range strings.SplitSeq(names, ",") {
		for key, v := range event {
			if strings.EqualFold(key, strings.TrimSpace(name)) {
				out[key] = v
			}
		}
	}
	return out
}

// event is an entry as Azure shows it (the specification's EventData).
func event(subscription, tenant string, e activity.Entry) doc.Object {
	id, at := arm.ParseID(e.Resource), e.Time.UTC().Format("2006-01-02T15:04:05.0000000Z")
	state := status(e)
	phase, level := "EndRequest", "Informational"
	if state == "Accepted" {
		phase = "BeginRequest"
	}
	if state == "Failed" {
		level = "Error"
	}
	data := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s %s %s %s", e.Correlation, e.Operation, e.Time, e.Resource)).String()
	sub := ""
	if e.Status > 0 {
		sub = strings.ReplaceAll(http.StatusText(e.Status), " ", "")
	}
	out := doc.Object{
		"authorization": doc.Object{"action": e.Operation, "scope": e.Resource}, "caller": e.Principal, "channels": "Operation", "claims": doc.Object{},
		"correlationId": e.Correlation, "description": "", "eventDataId": data, "eventName": named(phase, phase), "category": named("Administrative", "Administrative"),
		"eventTimestamp": at, "submissionTimestamp": at, "id": fmt.Sprintf("%s/events/%s/ticks/%d", e.Resource, data, ticks(e.Time)), "level": level,
		"operationId": e.Correlation, "operationName": named(e.Operation, e.Operation), "resourceGroupName": id.Group, "resourceProviderName": named(provider(e), provider(e)),
		"resourceId": e.Resource, "resourceType": named(id.Type(), id.Type()), "status": named(state, state),
		"subStatus": named(sub, label(sub, e.Status)), "subscriptionId": cmp.Or(id.Subscription, subscription), "tenantId": tenant, "properties": properties(e),
	}
	if e.Method != "" {
		out["httpRequest"] = doc.Object{"clientRequestId": cmp.Or(e.Client, e.Correlation), "method": e.Method}
	}
	return out
}

func properties(e activity.Entry) doc.Object {
	p := doc.Object{"entity": e.Resource, "message": e.Operation}
	if e.Status > 0 {
		p["statusCode"] = strings.ReplaceAll(http.StatusText(e.Status), " ", "")
	}
	if code := cmp.Or(e.Code, e.EndedCode); code != "" {
		p["statusMessage"] = fmt.Sprintf(`{"error":{"code":%q}}`, code)
	}
	return p
}

func label(sub string, status int) string {
	if sub == "" {
		return ""
	}
	return fmt.Sprintf("%s (HTTP Status Code: %d)", http.StatusText(status), status)
}

// ticks count tenths of microseconds from the year 1, as .NET does.
func ticks(at time.Time) int64 {
	return at.Unix()*1e7 + int64(at.Nanosecond()/100) + 621355968000000000
}

func named(value, text string) doc.Object {
	return doc.Object{"value": value, "localizedValue": text}
}
