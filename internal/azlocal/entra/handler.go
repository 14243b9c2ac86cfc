package entra

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fault"
)

// Audiences that ARM accepts; the list is that of its own error text.
var armAudiences = []string{
	"https://management.core.windows.net/", "https://management.core.windows.net",
	"https://management.azure.com/", "https://management.azure.com",
}

// IsARM tells whether an audience is ARM's.
func IsARM(audience string) bool {
	for _, a := range armAudiences {
		if strings.EqualFold(a, audience) {
			return true
		}
	}
	return false
}

// Handler serves the token endpoints of one tenant.
type Handler struct {
	Issuer *Issuer
	Apps   *Directory
	Faults *fault.Book
	Record func(activity.Entry)
}

// Owns tells whether a request is for Entra and not for ARM: the two share an origin.
func (h *Handler) Owns(path string) bool {
	seg := arm.Segments(path)
	if len(seg) < 2 {
		return false
	}
	switch strings.ToLower(seg[0]) {
	case "subscriptions", "providers", "tenants", "metadata":
		return false
	}
	return h.action(seg) != nil
}

// ServeHTTP answers discovery and token requests.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seg := arm.Segments(r.URL.Path)
	if act := h.action(seg); act != nil {
		act(w, r, seg[0])
		return
	}
	http.NotFound(w, r)
}

// action picks what serves a path. "/adfs" is how older command lines name an authority
// that is not Microsoft's.
func (h *Handler) action(seg []string) func(http.ResponseWriter, *http.Request, string) {
	if len(seg) < 2 {
		return nil
	}
	switch rest := strings.ToLower(strings.Join(seg[1:], "/")); rest {
	case ".well-known/openid-configuration", "v2.0/.well-known/openid-configuration":
		return h.discover
	case "oauth2/token", "oauth2/v2.0/token":
		return h.guarded
	case "discovery/keys", "discovery/v2.0/keys":
		return h.keys
	case "discovery/instance":
		return h.instance
	}
	return nil
}

func (h *Handler) knowsTenant(name string) bool {
	switch strings.ToLower(name) {
	case strings.ToLower(h.Issuer.Tenant), "common", "organizations", "adfs":
		return true
	}
	return false
}

func (h *Handler) discover(w http.ResponseWriter, r *http.Request, tenant string) {
	if !h.knowsTenant(tenant) {
		h.refuse(w, http.StatusBadRequest, "invalid_tenant", 90002, fmt.Sprintf(
			"Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", tenant))
		return
	}
	base := "https://" + r.Host + "/" + tenant
	path := "/oauth2/v2.0"
	if strings.EqualFold(tenant, "adfs") {
		path = "/oauth2"
	}
	issuer := "https://" + r.Host + "/" + h.Issuer.Tenant + "/v2.0"
	h.write(w, http.StatusOK, map[string]any{
		"token_endpoint":                        base + path + "/token",
		"authorization_endpoint":                base + path + "/authorize",
		"device_authorization_endpoint":         base + path + "/devicecode",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"issuer":                                issuer,
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
		"response_types_supported":              []string{"code", "id_token"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "profile", "offline_access"},
		"tenant_region_scope":                   "local",
	})
}

// instance answers instance discovery: this authority vouches for itself only.
func (h *Handler) instance(w http.ResponseWriter, r *http.Request, _ string) {
	h.write(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": "https://" + r.Host + "/" + h.Issuer.Tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{{
			"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host},
		}},
	})
}

func (h *Handler) keys(w http.ResponseWriter, _ *http.Request, _ string) {
	pub := h.Issuer.Key.PublicKey
	h.write(w, http.StatusOK, map[string]any{"keys": []map[string]any{{
		"kty": "RSA", "use": "sig", "kid": h.Issuer.KeyID(),
		"n": b64(pub.N.Bytes()), "e": b64(big.NewInt(int64(pub.E)).Bytes()),
	}}})
}

// guarded serves a token request in the way that faults allow, and logs it.
func (h *Handler) guarded(w http.ResponseWriter, r *http.Request, tenant string) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	_ = r.ParseForm() // token finds out again
	id := clientID(r)
	entry := activity.Entry{Time: h.Issuer.Now().UTC(), Operation: fault.EntraToken, Method: r.Method}
	if app, ok := h.Apps.Find(id); ok {
		entry.Principal = app.Principal.ObjectID
	}
	call := fault.Call{Operation: fault.EntraToken, Body: doc.Object{
		"client_id": id, "scope": r.PostForm.Get("scope"), "grant_type": r.PostForm.Get("grant_type")}}
	refuse := func(w http.ResponseWriter, e *arm.Error) {
		code, number := e.Code, 90033
		if e.Status == http.StatusUnauthorized {
			number = 7000215
		}
		h.refuse(w, e.Status, code, number, e.Message)
	}
	h.Faults.Guard(w, r, call, fault.Plain{Entry: entry, Record: h.Record, Refuse: refuse, Next: func(w http.ResponseWriter, r *http.Request) { h.token(w, r, tenant) }})
}

// clientID is who asks, by form or header.
func clientID(r *http.Request) string {
	if id := r.PostForm.Get("client_id"); id != "" {
		return id
	}
	user, _, _ := r.BasicAuth()
	return user
}

func (h *Handler) token(w http.ResponseWriter, r *http.Request, tenant string) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		h.refuse(w, http.StatusBadRequest, "invalid_request", 900144, "The request body must be a form sent by POST.")
		return
	}
	if !h.knowsTenant(tenant) {
		h.refuse(w, http.StatusBadRequest, "invalid_request", 90002, fmt.Sprintf("Tenant '%s' not found.", tenant))
		return
	}
	if got := r.PostForm.Get("grant_type"); got != "client_credentials" {
		h.refuse(w, http.StatusBadRequest, "unsupported_grant_type", 70003,
			fmt.Sprintf("The app requested an unsupported grant type '%s'.", got))
		return
	}
	app, ok := h.authenticate(w, r)
	if !ok {
		return
	}
	audience := audienceOf(r.PostForm.Get("scope"), r.PostForm.Get("resource"))
	if audience == "" {
		h.refuse(w, http.StatusBadRequest, "invalid_scope", 1002012,
			"The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.")
		return
	}
	token, _, err := h.Issuer.Sign(app.Principal, audience, "", SecretLifetime)
	if err != nil {
		h.refuse(w, http.StatusInternalServerError, "server_error", 90033, err.Error())
		return
	}
	seconds := int(SecretLifetime/time.Second) - 1
	h.write(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
	})
}

func (h *Handler) authenticate(w http.ResponseWriter, r *http.Request) (Application, bool) {
	id, secret := clientID(r), r.PostForm.Get("client_secret")
	if _, pass, ok := r.BasicAuth(); ok && r.PostForm.Get("client_id") == "" {
		secret = pass
	}
	app, known := h.Apps.Find(id)
	switch {
	case !known:
		h.refuse(w, http.StatusBadRequest, "unauthorized_client", 700016, fmt.Sprintf(
			"Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", id, h.Issuer.Tenant))
		return Application{}, false
	case subtle.ConstantTimeCompare([]byte(app.Secret), []byte(secret)) != 1:
		h.refuse(w, http.StatusUnauthorized, "invalid_client", 7000215, fmt.Sprintf(
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", id))
		return Application{}, false
	}
	return app, true
}

// audienceOf is the resource a token is for: scope without "/.default", or the resource
// parameter of version 1 of the protocol.
func audienceOf(scope, resource string) string {
	for one := range strings.FieldsSeq(scope) {
		if aud, ok := strings.CutSuffix(one, "/.default"); ok {
			return aud
		}
	}
	return resource
}

// refuse answers an error of Entra: a code for programs, AADSTS and a number for people.
func (h *Handler) refuse(w http.ResponseWriter, status int, code string, number int, text string) {
	trace, correlation := uuid.NewString(), uuid.NewString()
	now := h.Issuer.Now().UTC().Format("2006-01-02 15:04:05Z")
	h.write(w, status, map[string]any{
		"error": code,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
			number, text, trace, correlation, now),
		"error_codes": []int{number}, "timestamp": now, "trace_id": trace, "correlation_id": correlation,
		"error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", number),
	})
}

func (h *Handler) write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone when this fails
}
