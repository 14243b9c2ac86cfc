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
	return ListOf(r, len(rows), func(i int) string { return rows[i].Str("id") }, func(i int) doc.Object { return rows[i] })
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

// ListOf is List for count rows that are made when they are shown. id names a row: the next page
// begins behind the last row of this one even when others came or went in between, as long as
// they are sorted by id.
func ListOf(r *Request, count int, id func(i int) string, row func(i int) doc.Object) *Response {
	from := begin(r.Paging.skip, count, id)
	to := min(from+r.Paging.size(), count)
	rows := make([]doc.Object, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, row(i))
	}
	body := doc.Object{"value": rows}
	if to < count {
		body["nextLink"] = nextLink(r, skipToken{to, id(to - 1)})
	}
	return OK(body)
}

func (p Paging) size() int {
	if p.Size > 0 {
		return p.Size
	}
	return PageSize
}

// begin is the index of the first row of a page.
func begin(token skipToken, count int, id func(i int) string) int {
	near := min(token.index, count)
	if token.after == "" {
		return near
	}
	// The row is where it was, or near: others went or came before it.
	from := 0
	for i := near - 1; i >= 0; i-- {
		key := Key(id(i))
		if key == token.after {
			return i + 1
		}
		if key < token.after {
			from = i + 1
			break
		}
	}
	for from < count && Key(id(from)) <= token.after {
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
