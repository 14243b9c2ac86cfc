package arm

import (
	"net/url"
	"strconv"

	"mngr/internal/azlocal/doc"
)

// PageSize is how many resources a page of a list holds. Azure's differ by type and are
// not documented; this one lets a few hundred machines show that a client follows nextLink.
const PageSize = 250

// List answers one page of rows, from the $skiptoken of the request on.
func List(r *Request, rows []doc.Object) *Response {
	from, _ := strconv.Atoi(r.Query.Get("$skiptoken"))
	from = min(max(from, 0), len(rows))
	to := min(from+PageSize, len(rows))
	body := doc.Object{"value": append([]doc.Object{}, rows[from:to]...)}
	if to < len(rows) {
		q := url.Values{}
		for k, v := range r.Query {
			q[k] = v
		}
		q.Set("$skiptoken", strconv.Itoa(to))
		body["nextLink"] = r.Origin + r.Path + "?" + q.Encode()
	}
	return OK(body)
}
