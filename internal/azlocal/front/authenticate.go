package front

import (
	"encoding/base64"
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
	deny := func(code, text, description string) (arm.Principal, error) {
		return arm.Principal{}, h.unauthorized(r, code, text, fmt.Sprintf(`error="invalid_token", error_description="%s"`, description))
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return deny("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.",
			"The authentication failed because of missing 'Authorization' header.")
	}
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return deny("AuthenticationFailedInvalidHeader", "Authentication failed. The 'Authorization' header is provided in an invalid format.",
			"The authentication scheme is not supported.")
	}
	claims, err := h.Entra.Issuer.Verify(strings.TrimSpace(token))
	switch tenant := h.Entra.Issuer.Tenant; {
	case errors.Is(err, entra.ErrExpired):
		return deny("ExpiredAuthenticationToken", fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.",
			clock(time.Unix(claims.Expires, 0)), clock(h.World.Now())), "The access token has expired.")
	case errors.Is(err, entra.ErrRevoked):
		return arm.Principal{}, h.challenge(r, claims)
	case err != nil:
		return deny("InvalidAuthenticationToken", "The access token is invalid.", "Could not validate the access token.")
	case claims.TenantID != tenant:
		return deny("InvalidAuthenticationTokenTenant", fmt.Sprintf("The access token is from the wrong issuer '%s'. It must match the tenant 'https://sts.windows.net/%s/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/%s' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later.",
			claims.Issuer, tenant, tenant), "The access token is from the wrong issuer. It must match the tenant associated with this subscription.")
	case !entra.IsARM(claims.Audience):
		text := fmt.Sprintf("The access token has been obtained for wrong audience or resource '%s'. It should exactly match with one of the allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net','https://management.azure.com/','https://management.azure.com'.", claims.Audience)
		return deny("InvalidAuthenticationTokenAudience", text, "The access token is for the wrong audience.")
	}
	return arm.Principal{ObjectID: claims.ObjectID, AppID: claims.AppID, TenantID: claims.TenantID}, nil
}

// challenge is how a token is refused that was revoked: the client is to get one from
// after that, which the claims say in a form that it passes on to Entra.
func (h *Handler) challenge(r *http.Request, c entra.Claims) error {
	const text = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
	claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true, "value":"%d"}}}`, h.Entra.Issuer.ValidFrom(c).Unix())
	return h.unauthorized(r, "InvalidAuthenticationToken", text, fmt.Sprintf(`error="insufficient_claims", error_description="%s", claims="%s"`,
		text, base64.StdEncoding.EncodeToString([]byte(claims))))
}

// unauthorized is a 401. It names the authority that the client can reach, where Azure
// names login.windows.net: nobody is to send a secret there by following it.
func (h *Handler) unauthorized(r *http.Request, code, text, parameters string) error {
	e := arm.Gatewayf(http.StatusUnauthorized, code, "%s", text)
	e.Header = http.Header{"Www-Authenticate": {fmt.Sprintf(`Bearer authorization_uri="https://%s/%s", %s`, r.Host, h.Entra.Issuer.Tenant, parameters)}}
	return e
}

// clock is a time as ARM writes it in texts.
func clock(t time.Time) string { return t.UTC().Format("1/2/2006 3:04:05 PM") }
