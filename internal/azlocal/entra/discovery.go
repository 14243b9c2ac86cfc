package entra

import (
	"math/big"
	"net/http"
	"net/url"
	"strings"
)

// discover answers OpenID discovery. The issuer of the first version is the one that
// tokens name; that of the second must be on the authority's own host, for clients check.
func (h *Handler) discover(w http.ResponseWriter, r *http.Request, c call) {
	if refused := h.checkTenant(c.tenant); refused != nil {
		refused.code = "invalid_tenant"
		h.refuse(w, *refused)
		return
	}
	origin := "https://" + r.Host
	base, issuer, oauth, keys := origin+"/"+c.tenant, h.Issuer.name(), "/oauth2/", "/discovery/keys"
	switch {
	case c.adfs:
		base, issuer = origin+strings.TrimSuffix(r.URL.Path, "/"+c.what), origin+"/adfs"
	case c.v2:
		issuer, oauth, keys = origin+"/"+h.Issuer.Tenant+"/v2.0", "/oauth2/v2.0/", "/discovery/v2.0/keys"
	}
	h.write(w, http.StatusOK, map[string]any{
		"token_endpoint":                        base + oauth + "token",
		"authorization_endpoint":                base + oauth + "authorize",
		"device_authorization_endpoint":         base + oauth + "devicecode",
		"jwks_uri":                              base + keys,
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
func (h *Handler) instance(w http.ResponseWriter, r *http.Request, _ call) {
	if asked, err := url.Parse(r.URL.Query().Get("authorization_endpoint")); err != nil || asked.Host != "" && asked.Host != r.Host {
		h.refuse(w, refusal{http.StatusBadRequest, "invalid_instance", 50049, "Unknown or invalid instance."})
		return
	}
	h.write(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": "https://" + r.Host + "/" + h.Issuer.Tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{{
			"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host},
		}},
	})
}

func (h *Handler) keys(w http.ResponseWriter, _ *http.Request, _ call) {
	pub := h.Issuer.Key.PublicKey
	h.write(w, http.StatusOK, map[string]any{"keys": []map[string]any{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": h.Issuer.KeyID(), "issuer": h.Issuer.name(),
		"n": b64(pub.N.Bytes()), "e": b64(big.NewInt(int64(pub.E)).Bytes()),
	}}})
}
