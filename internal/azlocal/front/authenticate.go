package front

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/entra"
)

// authenticate checks the bearer token of a request.
func (h *Handler) authenticate(r *http.Request) (arm.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return arm.Principal{}, h.unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.",
			"The authentication failed because of missing 'Authorization' header.")
	}
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return arm.Principal{}, h.unauthorized("AuthenticationFailedInvalidHeader", "Authentication failed. The 'Authorization' header is provided in an invalid format.",
			"The authentication scheme is not supported.")
	}
	claims, err := h.Entra.Issuer.Verify(token)
	switch {
	case errors.Is(err, entra.ErrExpired):
		text := fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.",
			time.Unix(claims.Expires, 0).UTC().Format("1/2/2006 3:04:05 PM"), h.World.Now().UTC().Format("1/2/2006 3:04:05 PM"))
		return arm.Principal{}, h.unauthorized("ExpiredAuthenticationToken", text, "The access token has expired.")
	case err != nil:
		return arm.Principal{}, h.unauthorized("InvalidAuthenticationToken", "The access token is invalid.", "Could not validate the access token.")
	case claims.TenantID != h.Entra.Issuer.Tenant:
		return arm.Principal{}, h.unauthorized("InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.", "The access token is from the wrong issuer.")
	case !entra.IsARM(claims.Audience):
		text := fmt.Sprintf("The access token has been obtained for wrong audience or resource '%s'. It should exactly match with one of the allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net','https://management.azure.com/','https://management.azure.com'.", claims.Audience)
		return arm.Principal{}, h.unauthorized("InvalidAuthenticationTokenAudience", text, "The access token is for the wrong audience.")
	}
	return arm.Principal{ObjectID: claims.ObjectID, AppID: claims.AppID, TenantID: claims.TenantID}, nil
}

func (h *Handler) unauthorized(code, text, description string) error {
	e := arm.Gatewayf(http.StatusUnauthorized, code, "%s", text)
	e.Header = http.Header{"Www-Authenticate": {fmt.Sprintf(
		`Bearer authorization_uri="https://login.windows.net/%s", error="invalid_token", error_description=%q`, h.Entra.Issuer.Tenant, description)}}
	return e
}
