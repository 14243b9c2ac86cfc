package front

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// maxBody is ARM's limit of a request.
const maxBody = 4 << 20

type match = arm.Match[fabric.Route]

// find returns the route of a request. Whatever can be read by its id can be asked for with HEAD too.
func (h *Handler) find(r *http.Request) (match, error) {
	m, found, other := h.router.Find(r.Method, r.URL.Path)
	if found {
		return m, nil
	}
	if r.Method == http.MethodHead && other {
		if m, found, _ = h.router.Find(http.MethodGet, r.URL.Path); found && isResource(m.ID) {
			m.Target.Handle = exists(m.Target.Handle)
			return m, nil
		}
	}
	return m, notFound(r, other)
}

func isResource(id string) bool {
	p := arm.ParseID(id)
	return len(p.Types) > 0 && len(p.Types) == len(p.Names)
}

// exists answers as "check existence by id" does: 204, or 404 without a body.
func exists(get func(*fabric.Tx, *arm.Request) (*arm.Response, error)) func(*fabric.Tx, *arm.Request) (*arm.Response, error) {
	return func(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
		if _, err := get(t, r); err != nil {
			return nil, err
		}
		return arm.Reply(http.StatusNoContent, nil), nil
	}
}

// read checks what a request says before it means something: api-version, form and names.
func (h *Handler) read(r *http.Request, m match) (*arm.Request, error) {
	query := r.URL.Query()
	version := query.Get("api-version")
	body, unreadable := readBody(r)
	where := func() string { return h.location(m.ID, body) }
	if err := resources.CheckVersion(m.ID, version, where); err != nil {
		return nil, err
	}
	if unreadable != nil {
		return nil, unreadable
	}
	if r.Method == http.MethodPut {
		if err := agree(m.ID, body); err != nil {
			return nil, err
		}
	}
	paging, err := arm.ReadPaging(query, h.World.Settings.Int(fabric.PageSize, ""))
	if err != nil {
		return nil, err
	}
	return &arm.Request{
		Method: r.Method, Path: r.URL.Path, ID: m.ID, Params: m.Params, Query: query, Header: r.Header,
		Body: body, Origin: "https://" + r.Host, APIVersion: version, Paging: paging,
	}, nil
}

// location is where a request's resource is, for the text of a refusal.
func (h *Handler) location(id string, body doc.Object) (location string) {
	seg := arm.Segments(id)
	for i := range len(seg) - 1 {
		if strings.EqualFold(seg[i], "locations") {
			return resources.Normalize(seg[i+1])
		}
	}
	h.World.View(func(t *fabric.Tx) {
		if d := t.Peek(id); d != nil {
			location = d.Body.Str("location")
		}
	})
	if location == "" {
		location = resources.Normalize(body.Str("location"))
	}
	return location
}

// readBody reads a body that must be a JSON object, nil where there is none.
func readBody(r *http.Request) (doc.Object, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodDelete {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, arm.Gatewayf(http.StatusBadRequest, "InvalidRequestContent", "The request content could not be read.")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(data) > maxBody:
		return nil, arm.Gatewayf(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content size exceeds the maximum size of 4 MB.")
	case len(bytes.TrimSpace(data)) == 0:
		return nil, nil
	}
	if kind, given, ok := contentType(r); !ok {
		return nil, arm.Gatewayf(http.StatusUnsupportedMediaType, "UnsupportedMediaType", // azure-cli#10143
			"The content media type '%s' is not supported. Only 'application/json' is supported.", cmpOr(kind, given))
	}
	body, err := doc.Parse(data)
	if err != nil {
		return nil, arm.Gatewayf(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: '%s'.", err)
	}
	return body, nil
}

// contentType tells whether a body says that it is JSON.
func contentType(r *http.Request) (kind, given string, ok bool) {
	given = r.Header.Get("Content-Type")
	if given == "" {
		return "", "<null>", false
	}
	kind, params, err := mime.ParseMediaType(given)
	charset := params["charset"]
	return kind, given, err == nil && kind == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// agree refuses a PUT whose body names another resource than its URL. Names of children may be
// given in full or not; nothing compares case. The code for names is Azure's
// (openshift-azure#598), the others follow its pattern.
func agree(id string, body doc.Object) error {
	p := arm.ParseID(id)
	for _, c := range []struct {
		key, what string
		want      []string
	}{
		{"id", "Id", []string{id}},
		{"name", "Name", []string{arm.Name(id), p.FullName()}},
		{"type", "Type", []string{p.Type()}},
	} {
		given, ok := body[c.key].(string)
		if !ok || given == "" {
			continue
		}
		if !anyFold(c.want, given) {
			return arm.Gatewayf(http.StatusBadRequest, "MismatchingResource"+c.what, "%s",
				fmt.Sprintf("The provided resource %s '%s' did not match the %s in the Url '%s'.", c.key, given, c.key, c.want[0]))
		}
	}
	return nil
}

func anyFold(list []string, s string) bool {
	for _, one := range list {
		if arm.Key(one) == arm.Key(s) {
			return true
		}
	}
	return false
}

func notFound(r *http.Request, otherMethod bool) error {
	version := r.URL.Query().Get("api-version")
	if otherMethod {
		return arm.Gatewayf(http.StatusMethodNotAllowed, "HttpMethodNotSupported", "The http method '%s' is not supported for this request.", r.Method)
	}
	if version == "" {
		return resources.CheckVersion("", version, nil)
	}
	p := arm.ParseID(r.URL.Path)
	if p.Namespace == "" || len(p.Types) == 0 {
		return arm.Gatewayf(http.StatusNotFound, "NotFound", "The path '%s' is not served.", r.URL.Path)
	}
	if err := resources.CheckVersion(r.URL.Path, version, func() string { return "" }); err != nil {
		return err
	}
	return resources.UnknownType(p.Namespace, version)
}
