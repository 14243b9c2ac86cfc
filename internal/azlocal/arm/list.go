package arm

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mngr/internal/azlocal/doc"
)

// PageSize is how many resources a page of a list holds unless a setting says otherwise.
// Azure's sizes differ by type and are not documented.
const PageSize = 1000

// Paging is which part of a list a request asks for.
type Paging struct {
	Size int // rows at most; 0 is PageSize
	skip skipToken
}

// ReadPaging takes the $skiptoken of a request and refuses one that no list has given.
func ReadPaging(query url.Values, size int) (Paging, error) {
	p := Paging{Size: size}
	text := query.Get("$skiptoken")
	if text == "" {
		return p, nil
	}
	var ok bool
	if p.skip, ok = parseSkipToken(text); !ok {
		return p, Gatewayf(http.StatusBadRequest, "InvalidSkipToken", "The skip token '%s' specified in the query string is invalid.", text)
	}
	return p, nil
}

// List answers one page of rows, from the $skiptoken of the request on.
func List(r *Request, rows []doc.Object) *Response {
	return Page(r, rows, func(row doc.Object) string { return row.Str("id") }, func(row doc.Object) doc.Object { return row })
}

// ListTop is List for collections that know $top: the size of a page.
func ListTop(r *Request, rows []doc.Object) (*Response, error) {
	text := r.Query.Get("$top")
	if text == "" {
		return List(r, rows), nil
	}
	top, err := strconv.Atoi(text)
	if err != nil || top < 1 {
		return nil, Gatewayf(http.StatusBadRequest, "InvalidTopInQueryString", "Invalid $top '%s' specified in the query string.", text)
	}
	paged := *r
	paged.Paging.Size = min(top, paged.Paging.size())
	return List(&paged, rows), nil
}

// Page is List for rows that are made only when they are on the page. id names an item:
// the next page begins behind the last item of this one even when items came or went in
// between, as long as they are sorted by id.
func Page[T any](r *Request, items []T, id func(T) string, row func(T) doc.Object) *Response {
	from := begin(r.Paging.skip, items, id)
	to := min(from+r.Paging.size(), len(items))
	rows := make([]doc.Object, 0, to-from)
	for _, item := range items[from:to] {
		rows = append(rows, row(item))
	}
	body := doc.Object{"value": rows}
	if to < len(items) {
		body["nextLink"] = nextLink(r, skipToken{to, id(items[to-1])})
	}
	return OK(body)
}

func (p Paging) size() int {
	if p.Size > 0 {
		return p.Size
	}
	return PageSize
}

// begin is the index of the first item of a page.
func begin[T any](token skipToken, items []T, id func(T) string) int {
	near := min(token.index, len(items))
	if token.after == "" {
		return near
	}
	// The item is where it was, or near: others went or came before it.
	from := 0
	for i := near - 1; i >= 0; i-- {
		key := Key(id(items[i]))
		if key == token.after {
			return i + 1
		}
		if key < token.after {
			from = i + 1
			break
		}
	}
	for from < len(items) && Key(id(items[from])) <= token.after {
		from++
	}
	return from
}

func nextLink(r *Request, token skipToken) string {
	q := url.Values{}
	for k, v := range r.Query {
		q[k] = v
	}
	q.Set("$skiptoken", token.String())
	at := url.URL{Path: r.Path}
	return r.Origin + at.EscapedPath() + "?" + q.Encode()
}

// skipToken is where the next page begins: behind the item called after, which was the
// last before index.
type skipToken struct {
	index int
	after string
}

// String is opaque to clients, as Azure's are.
func (s skipToken) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(s.index) + " " + Key(s.after)))
}

func parseSkipToken(text string) (skipToken, bool) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return skipToken{}, false
	}
	index, after, ok := strings.Cut(string(data), " ")
	n, err := strconv.Atoi(index)
	return skipToken{n, after}, ok && err == nil && n > 0
}
