package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
)

// Handler serves /v1.0 below /msgraph, and on its own for clients that know the public
// name only.
type Handler struct {
	World  *fabric.World
	Issuer *entra.Issuer
	Record func(activity.Entry)
}

// Owns tells whether a request is for Graph.
func (h *Handler) Owns(path string) bool {
	_, ok := split(path)
	return ok
}

// split returns what follows the version.
func split(path string) (rest []string, ok bool) {
	seg := arm.Segments(path)
	if len(seg) > 0 && strings.EqualFold(seg[0], "msgraph") {
		seg = seg[1:]
	}
	if len(seg) > 1 && (strings.EqualFold(seg[0], "v1.0") || strings.EqualFold(seg[0], "beta")) {
		return seg[1:], true
	}
	return nil, false
}

// problem is a refusal in Graph's words.
type problem struct {
	status        int
	code, message string
}

// Error implements error.
func (p *problem) Error() string { return p.code + ": " + p.message }

// ServeHTTP answers one request. Every application may read the directory, as one with the
// role Directory Readers may.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, _ := split(r.URL.Path)
	entry := activity.Entry{Time: h.World.Now().UTC(), Method: r.Method, Operation: "graph:" + r.Method + " /" + strings.Join(rest, "/"), Status: http.StatusOK}
	claims, err := h.authenticate(r)
	entry.Principal = claims.ObjectID
	var body any
	if err == nil {
		body, err = h.answer(r, rest)
	}
	if p, ok := errors.AsType[*problem](err); ok {
		entry.Status, entry.Code = p.status, p.code
		body = doc.Object{"error": doc.Object{"code": p.code, "message": p.message, "innerError": doc.Object{
			"date": h.World.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": uuid.NewString(), "client-request-id": uuid.NewString()}}}
	}
	entry.Millis = float64(h.World.Now().Sub(entry.Time).Microseconds()) / 1000
	h.Record(entry)
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	w.Header().Set("request-id", uuid.NewString())
	w.WriteHeader(entry.Status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone when this fails
}

func (h *Handler) authenticate(r *http.Request) (entra.Claims, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	deny := func(text string) error { return &problem{http.StatusUnauthorized, "InvalidAuthenticationToken", text} }
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return entra.Claims{}, deny("Access token is empty.")
	}
	claims, err := h.Issuer.Verify(strings.TrimSpace(token))
	switch {
	case errors.Is(err, entra.ErrExpired):
		return claims, deny("Lifetime validation failed, the token is expired.")
	case errors.Is(err, entra.ErrRevoked):
		return claims, deny("Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp")
	case err != nil:
		return claims, deny("CompactToken parsing failed with error code: 80049217")
	case !entra.IsGraph(claims.Audience, r.Host):
		return claims, deny("Access token validation failure. Invalid audience.")
	}
	return claims, nil
}

var byKey = regexp.MustCompile(`(?i)^servicePrincipals\(appId='([^']*)'\)$`)

// answer serves a path below the version.
func (h *Handler) answer(r *http.Request, path []string) (any, error) {
	context := "https://" + r.Host + "/v1.0/$metadata#"
	list := func(kind string, rows []doc.Object) (any, error) {
		return doc.Object{"@odata.context": context + kind, "value": rows}, nil
	}
	get := func(match func(doc.Object) bool, id string) (any, error) {
		for _, p := range h.principals() {
			if match(p) {
				return p, nil
			}
		}
		return nil, &problem{http.StatusNotFound, "Request_ResourceNotFound",
			fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)}
	}
	if m := byKey.FindStringSubmatch(path[0]); m != nil && len(path) == 1 && r.Method == http.MethodGet {
		return get(func(p doc.Object) bool { return strings.EqualFold(p.Str("appId"), m[1]) }, m[1])
	}
	switch strings.ToLower(r.Method + " " + path[0] + strings.Repeat("/*", len(path)-1)) {
	case "get serviceprincipals":
		match, err := parseFilter(r.URL.Query().Get("$filter"))
		if err != nil {
			return nil, err
		}
		return list("servicePrincipals", keep(h.principals(), match))
	case "get serviceprincipals/*", "get directoryobjects/*":
		return get(func(p doc.Object) bool { return strings.EqualFold(p.Str("id"), path[1]) }, path[1])
	case "post directoryobjects/*":
		if strings.EqualFold(path[1], "getByIds") {
			return h.byIDs(r, list)
		}
	case "post serviceprincipals/*/*", "post directoryobjects/*/*":
		if strings.HasPrefix(strings.ToLower(path[2]), "getmember") { // there are no groups
			return doc.Object{"@odata.context": context + "Collection(Edm.String)", "value": []any{}}, nil
		}
	case "get users", "get groups", "get applications":
		return list(path[0], []doc.Object{})
	case "get me", "get me/*":
		return nil, &problem{http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow."}
	}
	if r.Method != http.MethodGet {
		return nil, &problem{http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."}
	}
	return nil, &problem{http.StatusBadRequest, "BadRequest", fmt.Sprintf("Resource not found for the segment '%s'.", path[0])}
}

func (h *Handler) byIDs(r *http.Request, list func(string, []doc.Object) (any, error)) (any, error) {
	var asked struct{ IDs []string }
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20)).Decode(&asked); err != nil || len(asked.IDs) == 0 || len(asked.IDs) > 1000 {
		return nil, &problem{http.StatusBadRequest, "Request_BadRequest", "The 'ids' are one to 1000 object ids."}
	}
	rows := keep(h.principals(), func(p doc.Object) bool {
		for _, id := range asked.IDs {
			if strings.EqualFold(id, p.Str("id")) {
				return true
			}
		}
		return false
	})
	for _, p := range rows {
		p["@odata.type"] = "#microsoft.graph.servicePrincipal"
	}
	return list("directoryObjects", rows)
}

func keep(all []doc.Object, match func(doc.Object) bool) []doc.Object {
	out := []doc.Object{}
	for _, p := range all {
		if match(p) {
			out = append(out, p)
		}
	}
	return out
}

// timestamp is a time as Graph writes it.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
