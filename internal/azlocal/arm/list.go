package arm

import (
	"net/url"
	"strconv"

	"mngr/internal/azlocal/doc"
)

// PageSize is how many resources a page of a list holds. Azure's differ by type and are
// not documented.
const PageSize = 1000

// List answers one page of rows, from the $skiptoken of the request on.
func List(r *Request, rows []doc.Object) *Response {
	return ListOf(r, len(rows), func(i int) doc.Object { return rows[i] })
}

// ListOf is List for count rows that are made when they are shown.
func ListOf(r *Request, count int, row func(i int) doc.Object) *Response {
	from, _ := strconv.Atoi(r.Query.Get("$skiptoken"))
	from = min(max(from, 0), count)
	to := min(from+PageSize, count)
	rows := make([]doc.Object, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, row(i))
	}
	body := doc.Object{"value": rows}
	if to < count {
		q := url.Values{}
		for k, v := range r.Query {
			q[k] = v
		}
		q.Set("$skiptoken", strconv.Itoa(to))
		body["nextLink"] = r.Origin + r.Path + "?" + q.Encode()
	}
	return OK(body)
}
