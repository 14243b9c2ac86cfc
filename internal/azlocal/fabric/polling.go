package fabric

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/throttle"
)

// Family says where the polling URLs of an operation are.
type Family string

// The families of operation URLs, as recorded.
const (
	NetworkFamily Family = "network" // …/operations/ID and …/operationResults/ID
	ComputeFamily Family = "compute" // …/operations/ID?p=…, the same with monitor=true
	DiskFamily    Family = "disk"    // …/DiskOperations/ID
	GroupFamily   Family = "group"   // /subscriptions/S/operationresults/TOKEN
)

// Async tells how the first answer of an operation looks.
type Async struct {
	Status     int
	Body       any
	Async      bool // Azure-AsyncOperation
	Location   bool
	Notify     bool // Azure-AsyncNotification
	RetryAfter int  // Azure's own seconds; 0 where Azure sends none
}

// Accepted is the first answer of an operation.
func (t *Tx) Accepted(r *arm.Request, op Operation, a Async) *arm.Response {
	t.seal(op.ID)
	resp := arm.Reply(a.Status, a.Body)
	status, location := op.urls(r)
	if a.Async {
		resp.Set("Azure-AsyncOperation", status)
	}
	if a.Location {
		resp.Set("Location", location)
	}
	if a.Notify {
		resp.Set("Azure-AsyncNotification", "Enabled")
	}
	return t.retryAfter(resp, a.RetryAfter)
}

// unasked is how long Microsoft's SDKs wait between polls that are told nothing.
const unasked = 30 * time.Second

// retryAfter tells a client when to ask again; azures are the seconds that Azure says, 0
// where it says nothing. Where time passes faster the header is always sent, for else
// clients would wait in their own time.
func (t *Tx) retryAfter(resp *arm.Response, azures int) *arm.Response {
	wait := t.w.Settings.Time(RetryAfter)
	if wait == 0 {
		wait = t.w.Settings.Scale(time.Duration(azures) * time.Second)
	}
	if wait == 0 && t.w.Settings.Clock() != 1 {
		wait = t.w.Settings.Scale(unasked)
	}
	if wait > 0 {
		for name, values := range throttle.WaitHeader(wait) {
			resp.Set(name, values[0])
		}
	}
	return resp
}

func (op *Operation) urls(r *arm.Request) (status, location string) {
	base := r.Origin + "/subscriptions/" + op.Subscription
	version := "api-version=" + r.APIVersion
	at := func(namespace, kind string) string {
		return fmt.Sprintf("%s/providers/%s/locations/%s/%s/%s", base, namespace, op.Location, kind, op.ID)
	}
	switch op.Family {
	case NetworkFamily:
		return at("Microsoft.Network", "operations") + "?" + version,
			at("Microsoft.Network", "operationResults") + "?" + version
	case GroupFamily:
		return "", base + "/operationresults/" + op.ID + "?" + version
	}
	kind := "operations"
	if op.Family == DiskFamily {
		kind = "DiskOperations"
	}
	p := uuid.NewSHA1(uuid.NameSpaceURL, []byte(op.Subscription)).String()
	u := at("Microsoft.Compute", kind) + "?p=" + p
	return u + "&" + version, u + "&monitor=true&" + version
}

// GroupToken is the id of a group deletion's operation; its form is recorded.
func GroupToken(group, location string) string {
	name := strings.ReplaceAll(strings.ToUpper(group), "-", ":2D")
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil,
		`{"jobId":"RESOURCEGROUPDELETIONJOB-%s-%s","jobLocation":"%s"}`, name, strings.ToUpper(location), location))
}

// Routes of the operations themselves.
func Routes() []Route {
	loc := "/subscriptions/{sub}/providers/%s/locations/{location}/%s/{operation}"
	route := func(pattern string) Route {
		return Route{Method: http.MethodGet, Pattern: pattern, Handle: poll}
	}
	return []Route{
		route(fmt.Sprintf(loc, "Microsoft.Network", "operations")),
		route(fmt.Sprintf(loc, "Microsoft.Network", "operationResults")),
		route(fmt.Sprintf(loc, "Microsoft.Compute", "operations")),
		route(fmt.Sprintf(loc, "Microsoft.Compute", "DiskOperations")),
		route("/subscriptions/{sub}/operationresults/{operation}"),
	}
}

// poll answers both kinds of polling URL. Whoever holds the URL and a token of the
// subscription's tenant may ask: ARM signs these URLs.
func poll(t *Tx, r *arm.Request) (*arm.Response, error) {
	op := t.Operation(r.Params["operation"])
	if op == nil {
		return nil, arm.Gatewayf(http.StatusNotFound, "NotFound",
			"The entity with id '%s' was not found.", r.Params["operation"])
	}
	byLocation := op.Family == GroupFamily || r.Query.Get("monitor") == "true" ||
		strings.Contains(strings.ToLower(r.ID), "/operationresults/")
	if byLocation {
		return t.pollLocation(r, op)
	}
	body := doc.Object{"status": op.Status}
	if op.Family != NetworkFamily {
		body["name"], body["startTime"] = op.ID, Timestamp(op.Start)
		if op.Terminal() {
			body["endTime"] = Timestamp(op.End)
		}
	}
	if op.Error != nil {
		body["error"] = op.Error
	}
	if op.Output != nil {
		body["properties"] = doc.Object{"output": op.Output}
	}
	resp := arm.OK(body)
	if !op.Terminal() {
		t.retryAfter(resp, 0)
	}
	return resp, nil
}

func (t *Tx) pollLocation(r *arm.Request, op *Operation) (*arm.Response, error) {
	switch {
	case !op.Terminal():
		_, location := op.urls(r)
		return t.retryAfter(arm.Reply(http.StatusAccepted, nil).Set("Location", location), 15), nil
	case op.Error != nil:
		failed := *op.Error
		if failed.Status < 400 {
			failed.Status = http.StatusConflict
		}
		return nil, &failed
	case op.Output != nil:
		return arm.OK(op.Output), nil
	}
	return arm.OK(nil), nil
}
