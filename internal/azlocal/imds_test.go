package azlocal

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/imds"
)

// guest asks the metadata service as one machine does, over its life.
type guest struct {
	*imds.Handler
	t *testing.T
}

func (c *clients) guest(t *testing.T) guest {
	t.Helper()
	key := ""
	c.server.world.View(func(t *fabric.Tx) { key = compute.Status(t)[0].Key })
	return guest{&imds.Handler{World: c.server.world, Issuer: c.server.issuer, Compute: c.server.compute, Key: key}, t}
}

func (g guest) ask(method, path, body string, header http.Header) (int, string) {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header = header
	rec := httptest.NewRecorder()
	g.ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

func (g guest) get(path string) (int, string) { return g.ask("GET", path, "", metadata) }

// TestMetadataNodes walks to leaves and directories, and lists what is refused.
func TestMetadataNodes(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	g := c.guest(t)
	const v, text = "?api-version=2021-02-01", "?api-version=2021-02-01&format=text"
	forwarded := http.Header{"Metadata": {"true"}, "X-Forwarded-For": {"1.2.3.4"}}
	for _, one := range []struct {
		method, path string
		header       http.Header
		status       int
		body         string // begins with
	}{
		{"GET", "/metadata/versions", metadata, 200, `{"apiVersions":["2017-03-01"`},
		{"GET", "/metadata/instance/network/interface/0/ipv4/ipAddress/0/privateIpAddress" + text, metadata, 200, "10.0.0.4"},
		{"GET", "/metadata/instance/network/interface" + text, metadata, 200, "0/"},
		{"GET", "/metadata/instance" + text, metadata, 200, "compute/\nnetwork/"},
		{"GET", "/Metadata/Instance/Compute/VMSize" + text, metadata, 200, "Standard_B2s"},
		{"GET", "/metadata/instance/compute/osProfile" + v, metadata, 200, `{"adminUsername":`},
		{"GET", "/metadata/instance/compute/vmSize" + v, metadata, 400, `{"error":"Bad request. A leaf`},
		{"GET", "/metadata/instance" + v + "&format=xml", metadata, 400, `{"error":"Bad request. The format`},
		{"GET", "/metadata/instance/network/interface/7" + v, metadata, 404, ""},
		{"GET", "/metadata/instance/compute/nothing" + v, metadata, 404, ""},
		{"GET", "/metadata/nothing" + v, metadata, 404, ""},
		{"GET", "/elsewhere", metadata, 404, ""},
		{"PUT", "/metadata/instance" + v, metadata, 405, ""},
		{"POST", "/metadata/identity/oauth2/token" + v, metadata, 405, ""},
		{"GET", "/metadata/instance" + v + "&api-version=2021-02-01", metadata, 400, `{"error":"Bad request. Query parameter api-version is repeated`},
		{"GET", "/metadata/instance?api-version=2016-01-01", metadata, 400,
			`{"error":"Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds","newest-versions":["2025-04-07","2024-07-17","2024-03-15"]}`},
		{"GET", "/metadata/loadbalancer?api-version=2019-02-01", metadata, 400, ""},
		{"GET", "/metadata/loadbalancer?api-version=2020-10-01", metadata, 200, `{"loadbalancer":`},
		{"GET", "/metadata/instance" + v, http.Header{}, 400, `{"error":"Bad request. Required metadata header not specified"}`},
		{"GET", "/metadata/instance" + v, forwarded, 400, ""},
		{"GET", "/metadata/identity/info?api-version=2018-02-01", metadata, 200, `{"tenantId":"` + l.inst.Tenant},
		{"GET", "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/", http.Header{}, 400, `{"error":"bad_request_102","error_description":"Required metadata header not specified"}`},
	} {
		if status, body := g.ask(one.method, one.path, "", one.header); status != one.status || !strings.HasPrefix(body, one.body) {
			t.Errorf("%s %s: %d %s", one.method, one.path, status, body)
		}
	}
}

// TestMetadataTokens chooses the identity and the audience, and gets the same token again
// until half of its life is over or it asks for another.
func TestMetadataTokens(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	vm := c.create(ctx)
	g := c.guest(t)
	const at = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
	arm := url.QueryEscape("https://management.azure.com/")
	type answer struct {
		AccessToken string `json:"access_token"`
		ClientID    string `json:"client_id"`
		ExpiresIn   string `json:"expires_in"`
		Error       string
		Description string `json:"error_description"`
	}
	get := func(query string) (a answer) {
		t.Helper()
		_, body := g.get(at + query)
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatalf("%s: %v: %s", query, err, body)
		}
		return a
	}
	first := get(arm)
	oid := *vm.Identity.PrincipalID
	for query, want := range map[string]string{
		arm + "&client_id=" + first.ClientID:           "",
		arm + "&object_id=" + oid:                      "",
		"https%3A%2F%2Fmanagement.core.windows.net%2F": "",
		"https://vault.azure.net":                      "",
		"https://nowhere.example":                      "invalid_resource AADSTS500011",
		"":                                             "invalid_request Required query variable 'resource' is missing",
		arm + "&client_id=" + oid:                      "invalid_request Identity not found",
		arm + "&object_id=00000000-0000-0000-0000-000000000000":                         "invalid_request Identity not found",
		arm + "&msi_res_id=/subscriptions/s/resourceGroups/g/providers/Microsoft.X/y/z": "invalid_request Identity not found",
		arm + "&client_id=" + first.ClientID + "&object_id=" + oid:                      "invalid_request Only one of",
		arm + "&resource=" + arm: "invalid_request The query parameter 'resource' is repeated",
	} {
		got := get(query)
		if want == "" && (got.Error != "" || got.AccessToken == "") || !strings.HasPrefix(got.Error+" "+got.Description, want) {
			t.Errorf("%s: %+v", query, got)
		}
	}
	if shouted := get(url.QueryEscape("https://MANAGEMENT.azure.com/")); shouted.AccessToken != first.AccessToken {
		t.Error("the host keeps a token for each spelling of a resource")
	}
	now := time.Now()
	l.server.issuer.Now = func() time.Time { return now.Add(30 * time.Second) } // another token can be told from the first
	if again := get(arm + "&object_id=" + oid); again.AccessToken != first.AccessToken {
		t.Error("the host did not keep the token")
	}
	l.server.issuer.Now = func() time.Time { return now.Add(time.Minute) }
	fresh := get(arm + "&bypass_cache=true")
	l.server.issuer.Now = func() time.Time { return now.Add(2 * time.Minute) }
	if fresh.AccessToken == first.AccessToken || get(arm).AccessToken != fresh.AccessToken {
		t.Error("bypass_cache made no other token, or it was not kept")
	}
	l.server.world.Now = func() time.Time { return now.Add(entra.MachineLifetime/2 - time.Minute) }
	if get(arm).AccessToken != fresh.AccessToken {
		t.Error("the token was dropped before half of its life")
	}
	l.server.world.Now = func() time.Time { return now.Add(entra.MachineLifetime/2 + 2*time.Minute) }
	l.server.issuer.Now = l.server.world.Now
	if renewed := get(arm); renewed.AccessToken == fresh.AccessToken || renewed.ExpiresIn != "86399" {
		t.Errorf("not renewed after half of its life: expires in %s", renewed.ExpiresIn)
	}
}
