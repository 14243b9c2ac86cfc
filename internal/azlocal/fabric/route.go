package fabric

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
)

// Route is one operation of the API.
type Route struct {
	Method  string
	Pattern string // see arm.Router.Add
	// Action is what the caller must be allowed at the id, "" for everybody with a token.
	Action string
	// Partial lists can be answered to callers who may see only some of the rows.
	Partial bool
	Handle  func(*Tx, *arm.Request) (*arm.Response, error)
	// Refused, if set, notes what a refused request leaves behind. It runs as a transaction
	// of its own, for the request's has been rolled back.
	Refused func(*Tx, *arm.Request, *arm.Error)
}

// Can tells whether a principal may do action at scope. The authorization provider
// implements it.
type Can func(t *Tx, p arm.Principal, action, scope string) bool

// GetDocument answers the document at the route's id.
func GetDocument(t *Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Peek(r.ID)
	if d == nil {
		return nil, arm.NotFound(r.ID)
	}
	body := t.Render(d)
	resp := arm.OK(body)
	if etag := body.Str("etag"); etag != "" {
		resp.Set("ETag", etag)
	}
	return resp, nil
}

// ListDocuments answers the documents of a type below the collection of the route's id.
func ListDocuments(resourceType string) func(*Tx, *arm.Request) (*arm.Response, error) {
	return func(t *Tx, r *arm.Request) (*arm.Response, error) {
		return t.Page(r, resourceType, t.Render), nil
	}
}

// Page answers a page of the documents of a type that the caller may see below the
// collection of the route's id. Only the rows of the page are looked at.
func (t *Tx) Page(r *arm.Request, resourceType string, row func(*Document) doc.Object) *arm.Response {
	return t.page(r, resourceType, t.w.docs.get, row)
}

// rowLevels is how deep Skim decodes what is stored: the members of a body.
const rowLevels = 2

// Skim is Page for rows that show documents nearly as they are stored: objects and lists
// in a body, such as the properties, may be json.RawMessage. A row that has to look into
// them peeks at the document.
func (t *Tx) Skim(r *arm.Request, resourceType string, row func(*Document) doc.Object) *arm.Response {
	return t.page(r, resourceType, func(e *entry) (*Document, error) { return t.w.docs.skim(e, rowLevels) }, row)
}

func (t *Tx) page(r *arm.Request, resourceType string, get func(*entry) (*Document, error), row func(*Document) doc.Object) *arm.Response {
	all := t.w.docs.below(strings.ToLower(resourceType), ScopeOf(r), true)
	if t.visible != nil {
		all = slices.DeleteFunc(all, func(e *entry) bool { return !t.visible(e.key) })
	}
	return arm.ListOf(r, len(all), func(i int) string { return all[i].key }, func(i int) doc.Object { return row(t.w.docs.must(get(all[i]))) })
}

// ScopeOf is the part of a list's id that rows must lie below: the group, the
// subscription or a parent resource.
func ScopeOf(r *arm.Request) string {
	p := arm.ParseID(r.ID)
	if len(p.Names) > 0 { // a child's collection: what precedes its type
		seg := arm.Segments(r.ID)
		return "/" + strings.Join(seg[:len(seg)-1], "/")
	}
	if p.Group != "" {
		return arm.GroupID(r.ID)
	}
	return "/subscriptions/" + p.Subscription
}

// RemoveDocument deletes the document at the route's id through its kind. An absent one is 204.
func RemoveDocument(family Async) func(*Tx, *arm.Request) (*arm.Response, error) {
	return func(t *Tx, r *arm.Request) (*arm.Response, error) {
		d := t.Get(r.ID)
		if d == nil {
			return arm.Reply(http.StatusNoContent, nil), nil
		}
		if err := arm.CheckMatch(r, d.ID, t.Render(d).Str("etag")); err != nil {
			return nil, err
		}
		opt := RemoveOptions{Force: r.Query.Get("forceDeletion") == "true", Principal: r.Principal}
		id, err := t.w.KindOf(d.ID).Remove(t, d, opt)
		if err != nil {
			return nil, err
		}
		if id == "" {
			return arm.OK(nil), nil
		}
		return t.Accepted(r, *t.Operation(id), family), nil
	}
}

// Timestamp is a time as ARM writes it: seven digits of fraction and an offset.
func Timestamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.0000000-07:00") }
