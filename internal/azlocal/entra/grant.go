package entra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fault"
)

// guarded serves a token request in the way that faults allow, and logs it.
func (h *Handler) guarded(w http.ResponseWriter, r *http.Request, c call) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	_ = r.ParseForm() // grant finds out again
	id, _ := credentials(r)
	entry := activity.Entry{Time: h.Issuer.Now().UTC(), Operation: fault.EntraToken, Method: r.Method}
	if app, ok := h.Apps.Find(id); ok {
		entry.Principal = app.Principal.ObjectID
	}
	call := fault.Call{Operation: fault.EntraToken, Body: doc.Object{
		"client_id": id, "scope": r.PostForm.Get("scope"), "grant_type": r.PostForm.Get("grant_type")}}
	refuse := func(w http.ResponseWriter, e *arm.Error) {
		number := 90033
		if e.Status == http.StatusUnauthorized {
			number = 7000215
		}
		h.refuse(w, refusal{e.Status, e.Code, number, e.Message})
	}
	h.Faults.Guard(w, r, call, fault.Plain{Entry: entry, Record: h.Record, Refuse: refuse, Next: func(w http.ResponseWriter, r *http.Request) {
		if refused := h.grant(w, r, c); refused != nil {
			h.refuse(w, *refused)
		}
	}})
}

// credentials are the client's id and secret, by form or header.
func credentials(r *http.Request) (id, secret string) {
	if id := r.PostForm.Get("client_id"); id != "" {
		return id, r.PostForm.Get("client_secret")
	}
	id, secret, _ = r.BasicAuth()
	return id, secret
}

// grant answers a token request, or says why not.
func (h *Handler) grant(w http.ResponseWriter, r *http.Request, c call) *refusal {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		return &refusal{http.StatusBadRequest, "invalid_request", 900561, "The endpoint only accepts POST requests with a form."}
	}
	if refused := h.checkTenant(c.tenant); refused != nil {
		return refused
	}
	switch got := r.PostForm.Get("grant_type"); got {
	case "client_credentials":
	case "":
		return missing("grant_type")
	case "password":
		return &refusal{http.StatusBadRequest, "invalid_grant", 50034, fmt.Sprintf(
			"The user account %s does not exist in the %s directory. To sign into this application, the account must be added to the directory.", r.PostForm.Get("username"), h.Issuer.Tenant)}
	default:
		return &refusal{http.StatusBadRequest, "unsupported_grant_type", 70003, fmt.Sprintf("The app requested an unsupported grant type '%s'.", got)}
	}
	app, refused := h.authenticate(r)
	if refused != nil {
		return refused
	}
	audience, refused := h.audience(r, c)
	if refused != nil {
		return refused
	}
	life := h.Lifetime()
	token, claims, err := h.Issuer.Sign(app.Principal, audience, "", life, capabilities(r.PostForm.Get("claims"))...)
	if err != nil {
		return &refusal{http.StatusInternalServerError, "server_error", 90033, err.Error()}
	}
	h.write(w, http.StatusOK, tokenBody(c, token, claims, max(int(life/time.Second)-1, 0)))
	return nil
}

// tokenBody is the answer: in the first version of the protocol every value is a string.
func tokenBody(c call, token string, claims Claims, seconds int) map[string]any {
	if c.v2 || c.adfs {
		return map[string]any{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
	}
	left := fmt.Sprint(seconds)
	return map[string]any{
		"token_type": "Bearer", "expires_in": left, "ext_expires_in": left, "expires_on": fmt.Sprint(claims.Expires),
		"not_before": fmt.Sprint(claims.NotBefore), "resource": claims.Audience, "access_token": token,
	}
}

func (h *Handler) authenticate(r *http.Request) (Application, *refusal) {
	id, secret := credentials(r)
	app, known := h.Apps.Find(id)
	switch {
	case id == "":
		return app, missing("client_id")
	case !known:
		return app, &refusal{http.StatusBadRequest, "unauthorized_client", 700016, fmt.Sprintf(
			"Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", id, h.Issuer.Tenant)}
	case r.PostForm.Get("client_assertion") != "":
		return app, &refusal{http.StatusUnauthorized, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application."}
	case secret == "":
		return app, &refusal{http.StatusUnauthorized, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."}
	case !app.accepts(secret):
		return app, &refusal{http.StatusUnauthorized, "invalid_client", 7000215, fmt.Sprintf(
			"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", id)}
	case app.SecretExpired:
		return app, &refusal{http.StatusUnauthorized, "invalid_client", 7000222, fmt.Sprintf(
			"The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.", id)}
	}
	return app, nil
}

func missing(parameter string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_request", 900144, fmt.Sprintf("The request body must contain the following parameter: '%s'.", parameter)}
}

// audience is the resource that a token is for: of a scope with "/.default", or of version
// 1's parameter.
func (h *Handler) audience(r *http.Request, c call) (string, *refusal) {
	scope, resource := r.PostForm.Get("scope"), r.PostForm.Get("resource")
	if scope == "" && resource == "" {
		if c.v2 {
			return "", missing("scope")
		}
		return "", missing("resource")
	}
	audience := resource
	for one := range strings.FieldsSeq(scope) {
		if cut, ok := strings.CutSuffix(one, "/.default"); ok {
			audience = cut
		}
	}
	switch {
	case audience == "":
		return "", &refusal{http.StatusBadRequest, "invalid_scope", 1002012, fmt.Sprintf(
			"The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope)}
	case !known(audience, r.Host):
		return "", &refusal{http.StatusBadRequest, "invalid_resource", 500011, fmt.Sprintf(
			"The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", audience, h.Issuer.Tenant)}
	}
	return audience, nil
}

// capabilities are those that the claims parameter of a request declares.
func capabilities(claims string) []string {
	var asked struct {
		AccessToken struct {
			Capabilities struct{ Values []string } `json:"xms_cc"`
		} `json:"access_token"`
	}
	if json.Unmarshal([]byte(claims), &asked) != nil { // what is no JSON declares nothing
		return nil
	}
	return asked.AccessToken.Capabilities.Values
}
