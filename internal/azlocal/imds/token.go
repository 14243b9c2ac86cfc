package imds

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
)

// tokens are those that the host keeps for a machine, by identity and resource, however a
// guest spells it, for there are many spellings and few resources: what is asked for again gets the same one until half its life is over.
type tokens struct {
	mu   sync.Mutex
	kept map[string]issued
}

type issued struct {
	token  string
	claims entra.Claims
}

// get returns the token kept under a key, or one that make makes.
func (t *tokens) get(key string, bypass bool, now time.Time, make func() (issued, error)) (issued, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old, ok := t.kept[key]; ok && !bypass && now.Unix() < (old.claims.NotBefore+old.claims.Expires)/2 {
		return old, nil
	}
	fresh, err := make()
	if err != nil {
		return fresh, err
	}
	if t.kept == nil {
		t.kept = map[string]issued{}
	}
	t.kept[key] = fresh
	return fresh, nil
}

// resources are the audiences that exist in every tenant, beside ARM's.
func resources() []string {
	return []string{"https://graph.microsoft.com", "https://graph.windows.net", "https://vault.azure.net", "https://storage.azure.com", "https://database.windows.net",
		"https://servicebus.azure.net", "https://eventhubs.azure.net", "https://datalake.azure.net", "https://ossrdbms-aad.database.windows.net", "https://cosmos.azure.com",
		"https://monitor.azure.com", "https://api.loganalytics.io", "https://containerregistry.azure.net", "https://cognitiveservices.azure.com", "https://batch.core.windows.net"}
}

func isResource(audience string) bool {
	if entra.IsARM(audience) {
		return true
	}
	for _, one := range resources() {
		if strings.EqualFold(one, strings.TrimSuffix(audience, "/")) {
			return true
		}
	}
	return false
}

// token answers a token of the machine's identity. ARM checks rights at each request, so a
// token from before a role assignment works after it.
func (h *Handler) token(w http.ResponseWriter, r *http.Request, d *fabric.Document) {
	q := r.URL.Query()
	resource := q.Get("resource")
	if resource == "" {
		refuseToken(w, "invalid_request", "Required query variable 'resource' is missing")
		return
	}
	p, ok := compute.Principal(d)
	if which, wrong := chosen(q.Get); wrong {
		refuseToken(w, "invalid_request", "Only one of client_id, object_id and msi_res_id can be given")
		return
	} else if !ok || !is(p, which, q.Get(which)) {
		refuseToken(w, "invalid_request", "Identity not found")
		return
	}
	if !isResource(resource) {
		refuseToken(w, "invalid_resource", fmt.Sprintf("AADSTS500011: The resource principal named %s was not found in the tenant named %s. "+
			"This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", resource, h.Issuer.Tenant))
		return
	}
	now := h.World.Now()
	got, err := h.tokens.get(p.ObjectID+" "+strings.ToLower(resource), strings.EqualFold(q.Get("bypass_cache"), "true"), now, func() (issued, error) {
		token, claims, err := h.Issuer.Sign(p, resource, d.ID, entra.MachineLifetime)
		return issued{token, claims}, err
	})
	if err != nil {
		write(w, http.StatusInternalServerError, doc.Object{"error": "unknown", "error_description": "Failed to retrieve a token"})
		return
	}
	left := fmt.Sprint(max(0, got.claims.Expires-now.Unix()-1))
	write(w, http.StatusOK, doc.Object{
		"access_token": got.token, "client_id": p.AppID, "expires_in": left, "ext_expires_in": left, "expires_on": fmt.Sprint(got.claims.Expires),
		"not_before": fmt.Sprint(got.claims.NotBefore), "resource": resource, "token_type": "Bearer",
	})
}

// chosen is the parameter that names an identity, "" without one; wrong where several do.
func chosen(get func(string) string) (name string, wrong bool) {
	for _, one := range []string{"client_id", "object_id", "principal_id", "msi_res_id", "mi_res_id"} {
		if get(one) != "" {
			wrong, name = name != "", one
		}
	}
	return name, wrong
}

// is tells whether a parameter names the machine's own identity. Resource ids name
// user-assigned ones, of which there are none here.
func is(p arm.Principal, parameter, value string) bool {
	switch parameter {
	case "":
		return true
	case "client_id":
		return strings.EqualFold(value, p.AppID)
	case "object_id", "principal_id":
		return strings.EqualFold(value, p.ObjectID)
	}
	return false
}

func refuseToken(w http.ResponseWriter, code, text string) {
	write(w, http.StatusBadRequest, doc.Object{"error": code, "error_description": text})
}
