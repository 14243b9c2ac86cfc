package azlocal

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
)

// ask sends a form to the authority.
func (r *raw) ask(path string, form url.Values) (int, map[string]any) {
	r.t.Helper()
	resp, err := r.client.PostForm(r.inst.Endpoint()+path, form)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, body
}

// TestTokenRequests asks for tokens in every good way and every bad one.
func TestTokenRequests(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	r := l.raw(ctx)
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {l.inst.ClientID}, "client_secret": {l.secret()}, "scope": {"https://management.core.windows.net//.default openid"}}
	but := func(pairs ...string) url.Values {
		form := url.Values{}
		for k, v := range good {
			form[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
			if pairs[i+1] == "" {
				form.Del(pairs[i])
			}
		}
		return form
	}
	v1, v2 := "/"+l.inst.Tenant+"/oauth2/token", "/"+l.inst.Tenant+"/oauth2/v2.0/token"
	for _, c := range []struct {
		name, path string
		form       url.Values
		status     int
		code       string
		number     float64
	}{
		{"good", v2, good, 200, "", 0},
		{"version 1", v1, but("scope", "", "resource", "https://management.azure.com/"), 200, "", 0},
		{"adfs", "/adfs/oauth2/token", good, 200, "", 0},
		{"adfs with the tenant", "/adfs/" + l.inst.Tenant + "/oauth2/token", good, 200, "", 0},
		{"any organization", "/organizations/oauth2/v2.0/token", good, 200, "", 0},
		{"wrong secret", v2, but("client_secret", "x"), 401, "invalid_client", 7000215},
		{"no secret", v2, but("client_secret", ""), 401, "invalid_client", 7000216},
		{"a certificate", v2, but("client_secret", "", "client_assertion", "x"), 401, "invalid_client", 700027},
		{"unknown client", v2, but("client_id", uuid.NewString()), 400, "unauthorized_client", 700016},
		{"no client", v2, but("client_id", ""), 400, "invalid_request", 900144},
		{"unknown tenant", "/" + uuid.NewString() + "/oauth2/v2.0/token", good, 400, "invalid_request", 90002},
		{"no tenant's name", "/nothing/oauth2/v2.0/token", good, 400, "invalid_request", 900023},
		{"no grant type", v2, but("grant_type", ""), 400, "invalid_request", 900144},
		{"another grant type", v2, but("grant_type", "authorization_code"), 400, "unsupported_grant_type", 70003},
		{"a user", v2, but("grant_type", "password", "username", "a@b"), 400, "invalid_grant", 50034},
		{"no scope", v2, but("scope", ""), 400, "invalid_request", 900144},
		{"a scope of a user", v2, but("scope", "https://management.azure.com/user_impersonation"), 400, "invalid_scope", 1002012},
		{"unknown resource", v2, but("scope", "https://nowhere.example/.default"), 400, "invalid_resource", 500011},
		{"device code", "/" + l.inst.Tenant + "/oauth2/v2.0/devicecode", good, 400, "unauthorized_client", 50034},
	} {
		status, body := r.ask(c.path, c.form)
		numbers, _ := body["error_codes"].([]any)
		code, _ := body["error"].(string)
		if status != c.status || code != c.code || c.number != 0 && (len(numbers) != 1 || numbers[0] != c.number) || c.number == 0 && body["access_token"] == nil {
			t.Errorf("%s: %d %v, want %d %s %v", c.name, status, body, c.status, c.code, c.number)
		}
		if _, text := body["expires_in"].(string); c.status == 200 && text != (c.path == v1) {
			t.Errorf("%s: expires_in is %T", c.name, body["expires_in"])
		}
	}
	if err := r.act("owner", actExpire, `{}`); err != nil {
		t.Fatal(err)
	}
	if status, body := r.ask(v2, good); status != 401 || !strings.Contains(body["error_description"].(string), "AADSTS7000222") {
		t.Errorf("expired secret: %d %v", status, body)
	}
	if err := r.act("owner", actRotate, `{}`); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.ask(v2, good); status != 401 {
		t.Errorf("the old secret: %d", status)
	}
	if status, body := r.ask(v2, but("client_secret", l.secret())); status != 200 {
		t.Errorf("the new secret: %d %v", status, body)
	}
}

// TestDiscovery reads every discovery document and follows it to the keys.
func TestDiscovery(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	r := l.raw(ctx)
	r.token = ""
	origin := l.inst.Endpoint()
	for path, want := range map[string][2]string{
		"/" + l.inst.Tenant + "/v2.0": {origin + "/" + l.inst.Tenant + "/v2.0", "/oauth2/v2.0/token"},
		"/" + l.inst.Tenant:           {"https://sts.windows.net/" + l.inst.Tenant + "/", "/oauth2/token"},
		"/adfs":                       {origin + "/adfs", "/adfs/oauth2/token"},
		"/adfs/" + l.inst.Tenant:      {origin + "/adfs", "/adfs/" + l.inst.Tenant + "/oauth2/token"},
		"/common/v2.0":                {origin + "/" + l.inst.Tenant + "/v2.0", "/common/oauth2/v2.0/token"},
	} {
		var doc struct {
			Issuer string `json:"issuer"`
			Token  string `json:"token_endpoint"`
			Keys   string `json:"jwks_uri"`
		}
		rep := r.do(ctx, "GET", path+"/.well-known/openid-configuration", "")
		if err := json.Unmarshal(rep.Body, &doc); err != nil || doc.Issuer != want[0] || !strings.HasPrefix(doc.Token, origin) || !strings.HasSuffix(doc.Token, want[1]) {
			t.Errorf("%s: %d %s", path, rep.Status, rep.Body)
		}
		var keys struct{ Keys []struct{ Kid string } }
		rep = r.do(ctx, "GET", doc.Keys, "")
		if err := json.Unmarshal(rep.Body, &keys); err != nil || len(keys.Keys) != 1 || keys.Keys[0].Kid != l.server.issuer.KeyID() {
			t.Errorf("%s: keys: %d %s", path, rep.Status, rep.Body)
		}
	}
	if rep := r.do(ctx, "GET", "/"+uuid.NewString()+"/v2.0/.well-known/openid-configuration", ""); rep.Status != 400 || !bytes.Contains(rep.Body, []byte("AADSTS90002")) {
		t.Errorf("unknown tenant: %d %s", rep.Status, rep.Body)
	}
	host := strings.TrimPrefix(origin, "https://")
	for endpoint, status := range map[string]int{"https://" + host + "/common/oauth2/v2.0/authorize": 200, "https://login.microsoftonline.com/common/oauth2/v2.0/authorize": 400} {
		if rep := r.do(ctx, "GET", "/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(endpoint), ""); rep.Status != status {
			t.Errorf("instance discovery of %s: %d %s", endpoint, rep.Status, rep.Body)
		}
	}
}

// TestEndpoints wants the login below /adfs in the versions of azure-cli, and no other.
func TestEndpoints(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	r := l.raw(ctx)
	r.token = ""
	type cloud struct {
		Name            string
		ResourceManager string
		Graph           string `json:"microsoftGraphResourceId"`
		Authentication  struct{ LoginEndpoint string }
	}
	origin := l.inst.Endpoint()
	for version, login := range map[string]string{"2015-01-01": "/adfs", "2019-05-01": "/adfs", "2020-06-01": "", "2022-09-01": ""} {
		clouds := make([]cloud, 1)
		var into any = &clouds
		want := cloud{"AzureLocal", origin, origin + "/msgraph", struct{ LoginEndpoint string }{origin + login}}
		if version < "2019" {
			into, want = &clouds[0], cloud{Authentication: want.Authentication}
		}
		rep := r.do(ctx, "GET", "/metadata/endpoints?api-version="+version, "")
		if err := json.Unmarshal(rep.Body, into); err != nil || len(clouds) != 1 || clouds[0] != want {
			t.Errorf("%s: %d %s: %v", version, rep.Status, rep.Body, err)
		}
	}
}

// TestTokensAtARM shows ARM tokens that are wrong in one thing, beside one that is right.
func TestTokensAtARM(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	r := l.raw(ctx)
	me := arm.Principal{ObjectID: l.inst.ObjectID, AppID: l.inst.ClientID}
	const audience = "https://management.azure.com"
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(change func(*entra.Issuer), audience string, life time.Duration) string {
		issuer := *l.server.issuer
		change(&issuer)
		token, _, err := issuer.Sign(me, audience, "", life)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	same := func(*entra.Issuer) {}
	good := sign(same, audience, time.Hour)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	for _, c := range []struct{ name, token, code, text string }{
		{"good", good, "", ""},
		{"expired", sign(same, audience, -time.Second), "ExpiredAuthenticationToken", "is earlier than current UTC time"},
		{"not valid yet", sign(func(i *entra.Issuer) { i.Now = func() time.Time { return time.Now().Add(time.Hour) } }, audience, time.Hour), "InvalidAuthenticationToken", ""},
		{"for Graph", sign(same, "https://graph.microsoft.com", time.Hour), "InvalidAuthenticationTokenAudience", "wrong audience or resource 'https://graph.microsoft.com'"},
		{"of another tenant", sign(func(i *entra.Issuer) { i.Tenant = "11111111-1111-4111-8111-111111111111" }, audience, time.Hour), "InvalidAuthenticationTokenTenant",
			"from the wrong issuer 'https://sts.windows.net/11111111-1111-4111-8111-111111111111/'. It must match the tenant 'https://sts.windows.net/" + l.inst.Tenant + "/'"},
		{"signed by somebody else", sign(func(i *entra.Issuer) { i.Key = key }, audience, time.Hour), "InvalidAuthenticationToken", ""},
		{"not signed", none, "InvalidAuthenticationToken", ""},
		{"signature cut", good[:len(good)-4], "InvalidAuthenticationToken", ""},
		{"no token", "x", "InvalidAuthenticationToken", ""},
	} {
		r.token = c.token
		status := 401
		if c.code == "" {
			status = 200
		}
		rep := r.do(ctx, "GET", "/subscriptions?api-version=2022-12-01", "")
		rep.refused(t, c.name, status, c.code, c.text)
		if challenge := rep.Header.Get("WWW-Authenticate"); status == 401 && !strings.HasPrefix(challenge, `Bearer authorization_uri="`+l.inst.Endpoint()+"/"+l.inst.Tenant+`", error="invalid_token", error_description="`) {
			t.Errorf("%s: %s", c.name, challenge)
		}
	}
}

// TestRevocation revokes tokens: the SDK takes up the challenge and goes on with a new one,
// a client that takes up none keeps its old one.
func TestRevocation(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	sdk := l.sdk(l.credential())
	get := func() {
		t.Helper()
		must[armresources.ProvidersClientGetResponse](t)(sdk.providers.Get(ctx, "Microsoft.Compute", nil))
	}
	get()
	owner := l.raw(ctx) // its token declares no capability
	aware := owner.as("owner")
	l.server.issuer.Now = func() time.Time { return time.Now().Add(2 * time.Second) } // the next second
	if err := owner.act("owner", actRevoke, `{}`); err != nil {
		t.Fatal(err)
	}
	rep := aware.do(ctx, "GET", "/subscriptions?api-version=2022-12-01", "")
	rep.refused(t, "revoked", 401, "InvalidAuthenticationToken", "TokenIssuedBeforeRevocationTimestamp")
	challenge := rep.Header.Get("WWW-Authenticate")
	_, claims, _ := strings.Cut(challenge, `claims="`)
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(claims, `"`))
	if err != nil || !strings.Contains(challenge, `error="insufficient_claims"`) || !strings.Contains(string(decoded), `"nbf":{"essential":true`) {
		t.Errorf("challenge %s: %s", challenge, decoded)
	}
	before := strings.Count(l.activity(t), `"entra:token"`)
	get()
	log := l.activity(t)
	if strings.Count(log, `"entra:token"`) != before+1 || strings.Count(log, `"status":401`) != 2 {
		t.Errorf("the SDK did not take up the challenge:\n%s", log)
	}
	owner.do(ctx, "GET", "/subscriptions?api-version=2022-12-01", "").refused(t, "a client without capabilities", 200, "", "")
	aware.as("owner").do(ctx, "GET", "/subscriptions?api-version=2022-12-01", "").refused(t, "a new token", 200, "", "")
}

// TestShortTokens makes tokens that end soon.
func TestShortTokens(t *testing.T) {
	l := startLocal(t, nil)
	l.set(t, map[string]string{fabric.TokenLifetime: "10m"})
	token, err := l.credential().GetToken(within(t), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil || time.Until(token.ExpiresOn) > 10*time.Minute || time.Until(token.ExpiresOn) < 8*time.Minute {
		t.Fatalf("%v, expires in %v", err, time.Until(token.ExpiresOn))
	}
}

// TestGraph looks principals up as az does before it assigns a role.
func TestGraph(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	c := l.sdk(l.credential())
	c.prepare(ctx)
	vm := c.create(ctx)
	r := l.raw(ctx)
	r.member("colleague", "", "Reader")
	p, err := l.inst.Principal("colleague")
	if err != nil {
		t.Fatal(err)
	}
	arm := r.token
	token, _, err := l.server.issuer.Sign(c.principal(), l.inst.Endpoint()+"/msgraph", "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r.token = token
	for path, want := range map[string][]string{
		"/servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'" + p.ClientID + "')": {p.ObjectID},
		"/servicePrincipals?$filter=appId%20eq%20'" + p.ClientID + "'":                          {p.ObjectID},
		"/servicePrincipals?$filter=startswith(displayName,'COLL')":                             {p.ObjectID},
		"/servicePrincipals?$filter=displayName+eq+'vm'":                                        {*vm.Identity.PrincipalID},
		"/servicePrincipals?$filter=appId+eq+'x'+and+displayName+eq+'vm'":                       {},
		"/users?$filter=userPrincipalName+eq+'a@b'":                                             {},
	} {
		rows := r.do(ctx, "GET", "/msgraph/v1.0"+path, "").rows(t)
		var ids []string
		for _, row := range rows {
			ids = append(ids, row["id"].(string))
		}
		if strings.Join(ids, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %v, want %v", path, ids, want)
		}
	}
	stubs := r.do(ctx, http.MethodPost, "/v1.0/directoryObjects/getByIds", `{"ids":["`+*vm.Identity.PrincipalID+`","`+uuid.NewString()+`"],"types":["servicePrincipal"]}`).rows(t)
	if len(stubs) != 1 || stubs[0]["@odata.type"] != "#microsoft.graph.servicePrincipal" {
		t.Errorf("getByIds: %v", stubs)
	}
	r.do(ctx, "GET", "/msgraph/v1.0/directoryObjects/"+p.ObjectID, "").refused(t, "one", 200, "", "")
	r.do(ctx, "GET", "/msgraph/v1.0/directoryObjects/"+uuid.NewString(), "").refused(t, "nobody", 404, "Request_ResourceNotFound", "")
	r.do(ctx, "GET", "/msgraph/v1.0/servicePrincipals?$filter=tags/any()", "").refused(t, "a filter", 400, "Request_UnsupportedQuery", "")
	r.do(ctx, "GET", "/msgraph/v1.0/me", "").refused(t, "me", 400, "BadRequest", "delegated authentication")
	r.do(ctx, "POST", "/msgraph/v1.0/servicePrincipals", `{}`).refused(t, "a write", 403, "Authorization_RequestDenied", "")
	r.token = arm
	r.do(ctx, "GET", "/msgraph/v1.0/servicePrincipals", "").refused(t, "a token for ARM", 401, "InvalidAuthenticationToken", "audience")
}

// principal is the instance's own.
func (l *local) principal() arm.Principal {
	return arm.Principal{ObjectID: l.inst.ObjectID, AppID: l.inst.ClientID, TenantID: l.inst.Tenant}
}
