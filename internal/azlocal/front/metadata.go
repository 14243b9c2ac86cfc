package front

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
)

// serveMetadata answers what command lines ask before they have a token: which endpoints
// this cloud has. Until 2019 it is one object, from then on a list of clouds.
//
// In the versions that azure-cli asks for (2015-01-01, and 2019-05-01 as env's
// ARM_CLOUD_METADATA_URL has it) the login is below /adfs, as azure-cli asks
// login.microsoftonline.com about any other that it does not know.
func (h *Handler) serveMetadata(w http.ResponseWriter, r *http.Request) bool {
	seg := arm.Segments(r.URL.Path)
	if len(seg) != 2 || !strings.EqualFold(strings.Join(seg, "/"), "metadata/endpoints") {
		return false
	}
	origin := "https://" + r.Host
	login := origin
	if h.Login != nil {
		login = h.Login(r.Host)
	}
	audiences := []string{"https://management.core.windows.net/", "https://management.azure.com/"}
	var body any = map[string]any{
		"galleryEndpoint": origin + "/gallery", "graphEndpoint": origin + "/graph", "portalEndpoint": origin + "/portal",
		"authentication": map[string]any{"loginEndpoint": login + "/adfs", "audiences": audiences},
	}
	if version := r.URL.Query().Get("api-version"); version >= "2019" {
		if version < "2020" {
			login += "/adfs"
		}
		body = []any{map[string]any{
			"name": "AzureLocal", "resourceManager": origin, "portal": origin + "/portal", "graph": origin + "/graph", "graphAudience": origin + "/graph",
			"gallery": origin + "/gallery", "batch": origin + "/batch", "media": origin + "/media", "sqlManagement": origin + "/sql", "vmImageAliasDoc": origin + "/aliases.json",
			"microsoftGraphResourceId": origin + "/msgraph",
			"authentication":           map[string]any{"loginEndpoint": login, "audiences": audiences, "tenant": h.Entra.Issuer.Tenant, "identityProvider": "AAD"},
			"suffixes":                 map[string]any{"storage": "core.local", "keyVaultDns": "vault.local", "sqlServerHostname": "database.local", "acrLoginServer": "azurecr.local"},
		}}
	}
	h.write(w, r, arm.OK(body), "", begin(r, h.World.Now()), nil)
	return true
}
