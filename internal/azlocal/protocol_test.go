package azlocal

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

type refusal struct {
	Error struct {
		Code, Message, Target string
		Details               []struct{ Code, Message, Target string }
	}
}

func (r reply) refusal(t testing.TB) refusal {
	t.Helper()
	var e refusal
	if err := json.Unmarshal(r.Body, &e); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	return e
}

// wantRefusal fails unless a reply is a refusal with a code whose text contains all of parts.
func wantRefusal(t testing.TB, r reply, status int, code string, parts ...string) {
	t.Helper()
	if r.Status != status {
		t.Errorf("status %d, want %d %s: %s", r.Status, status, code, r.Body)
		return
	}
	e := r.refusal(t)
	if e.Error.Code != code {
		t.Errorf("code %s, want %s: %s", e.Error.Code, code, r.Body)
	}
	for _, part := range parts {
		if !strings.Contains(e.Error.Message, part) {
			t.Errorf("%s: %q does not contain %q", code, e.Error.Message, part)
		}
	}
}

// ground is a group with a registered network provider.
func ground(t testing.TB) (*raw, string) {
	t.Helper()
	l := startLocal(t, nil)
	r := l.raw(within(t))
	sub := "/subscriptions/" + l.inst.Subscription
	for _, ns := range []string{"Microsoft.Network", "Microsoft.Compute"} {
		r.do(t.Context(), "POST", sub+"/providers/"+ns+"/register?api-version=2021-04-01", "")
	}
	if got := r.do(t.Context(), "PUT", sub+"/resourcegroups/rg?api-version=2021-04-01", `{"location":"eastus"}`); got.Status != http.StatusCreated {
		t.Fatalf("the group was not made: %s", got.Body)
	}
	return r, sub
}

// TestVersions checks api-versions by type: those that clients send are accepted, others refused
// as Azure refuses them.
func TestVersions(t *testing.T) {
	r, sub := ground(t)
	net, com := sub+"/resourceGroups/rg/providers/Microsoft.Network", sub+"/resourceGroups/rg/providers/Microsoft.Compute"
	for path, versions := range map[string]string{
		net + "/virtualNetworks":                  "2025-05-01 2025-03-01 2025-01-01 2018-11-01 2021-08-01 2024-03-01 2022-01-01 2022-07-01",
		com + "/virtualMachines":                  "2026-04-01 2025-04-01 2020-06-01 2021-11-01 2022-11-01 2024-11-01",
		com + "/disks":                            "2026-03-02 2025-01-02 2019-07-01",
		sub + "/providers/Microsoft.Compute/skus": "2021-07-01 2019-04-01",
		sub + "/resourcegroups":                   "2025-04-01 2021-04-01 2019-10-01",
		sub + "/resources":                        "2025-04-01 2021-04-01 2019-10-01",
		"/subscriptions":                          "2022-12-01 2019-11-01 2016-06-01",
		"/tenants":                                "2022-12-01 2016-06-01",
		sub + "/providers/Microsoft.Network":      "2025-04-01 2021-04-01 2019-05-01",
		sub + "/providers/Microsoft.Authorization/roleAssignments": "2022-04-01 2015-07-01",
	} {
		for version := range strings.FieldsSeq(versions) {
			if got := r.do(t.Context(), "GET", path+"?api-version="+version, ""); got.Status != http.StatusOK {
				t.Errorf("%s %s: %d %s", path, version, got.Status, got.Body)
			}
		}
	}
	wantRefusal(t, r.do(t.Context(), "GET", net+"/virtualNetworks", ""), 400, "MissingApiVersionParameter", "(?api-version=) is required for all requests")
	wantRefusal(t, r.do(t.Context(), "GET", net+"/virtualNetworks?api-version=2026-04-01", ""), 400, "NoRegisteredProviderFound",
		"for location '' and API version '2026-04-01' for type 'virtualNetworks'. The supported api-versions are '2015-06-15, ", "The supported locations are 'eastus, ")
	wantRefusal(t, r.do(t.Context(), "PUT", com+"/disks/d?api-version=2026-04-01", `{"location":"West US 2"}`), 400, "NoRegisteredProviderFound", "for location 'westus2' and API version")
	wantRefusal(t, r.do(t.Context(), "GET", sub+"/resourcegroups?api-version=1999-01-01", ""), 400, "InvalidApiVersionParameter", "'1999-01-01' is invalid", "2025-04-01")
	wantRefusal(t, r.do(t.Context(), "GET", net+"/trafficLights/a?api-version=2025-05-01", ""), 404, "InvalidResourceType", "in the namespace 'Microsoft.Network' for api version '2025-05-01'")
	wantRefusal(t, r.do(t.Context(), "GET", sub+"/resourceGroups/rg/providers/Contoso.X/y/z?api-version=2025-05-01", ""), 404, "InvalidResourceNamespace", "'Contoso.X'")
}

// TestEveryRouteHasAType checks that each operation's type is in the table of api-versions.
func TestEveryRouteHasAType(t *testing.T) {
	r, sub := ground(t)
	for _, method := range []string{"GET", "PUT", "POST", "PATCH", "DELETE"} {
		for _, pattern := range r.server.handler.Patterns(method) {
			path := strings.NewReplacer("{sub}", sub[len("/subscriptions/"):], "{subscription}", sub[len("/subscriptions/"):], "{scope}", sub, "{group}", "rg", "|", "").Replace(pattern)
			path = strings.NewReplacer("{", "", "}", "").Replace(path)
			if strings.HasSuffix(path, "/register") || strings.HasSuffix(path, "/unregister") {
				continue
			}
			got := r.do(t.Context(), method, path+"?api-version=0", "")
			if got.Status != 400 || !strings.Contains(string(got.Body), "upported") {
				t.Errorf("%s %s: %d %s", method, path, got.Status, got.Body)
			}
		}
	}
}

// TestRequestForm checks what is refused before a request means anything, each with a twin that
// is served.
func TestRequestForm(t *testing.T) {
	r, sub := ground(t)
	at := sub + "/resourceGroups/rg/providers/Microsoft.Network/publicIPAddresses/p?api-version=2025-05-01"
	good := `{"location":"eastus","properties":{"publicIPAllocationMethod":"Static"},"sku":{"name":"Standard"}}`
	send := func(kind, body string) reply {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "PUT", r.inst.Endpoint()+at, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+r.token)
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		return r.send(req)
	}
	wantRefusal(t, send("", good), 415, "UnsupportedMediaType", "'<null>' is not supported. Only 'application/json' is supported.")
	wantRefusal(t, send("text/plain", good), 415, "UnsupportedMediaType", "'text/plain'")
	for _, body := range []string{"{", "[]", `"x"`, "null x", `{"a":1}}`} {
		wantRefusal(t, send("application/json", body), 400, "InvalidRequestContent")
	}
	wantRefusal(t, send("application/json", `{"name":"q"}`), 400, "MismatchingResourceName", "'q' did not match the name in the Url 'p'")
	wantRefusal(t, send("application/json", `{"type":"Microsoft.Network/virtualNetworks"}`), 400, "MismatchingResourceType")
	wantRefusal(t, send("application/json", `{"id":"/subscriptions/x"}`), 400, "MismatchingResourceId")
	wantRefusal(t, send("application/json", `{"x":"`+strings.Repeat("y", 4<<20)+`"}`), 413, "RequestContentTooLarge", "4 MB")
	wantRefusal(t, r.do(t.Context(), "POST", at, "{}"), 405, "HttpMethodNotSupported", "'POST'")
	for _, kind := range []string{"application/json", "application/json; charset=utf-8"} {
		if got := send(kind, "\ufeff"+good); got.Status > 201 {
			t.Errorf("%s: %d %s", kind, got.Status, got.Body)
		}
	}
	if got := r.do(t.Context(), "HEAD", at, ""); got.Status != http.StatusNoContent {
		t.Errorf("HEAD of what exists: %d", got.Status)
	}
	if got := r.do(t.Context(), "HEAD", strings.Replace(at, "/p?", "/nope?", 1), ""); got.Status != http.StatusNotFound {
		t.Errorf("HEAD of what does not: %d", got.Status)
	}
}

// TestPaging reads lists in pages of two and follows nextLink.
func TestPaging(t *testing.T) {
	r, sub := ground(t)
	if err := r.server.world.Settings.Choose(map[string]string{"page-size": "2"}); err != nil {
		t.Fatal(err)
	}
	at := sub + "/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups"
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		r.settle(t.Context(), r.do(t.Context(), "PUT", at+"/"+name+"?api-version=2025-05-01", `{"location":"eastus"}`))
	}
	for _, list := range []string{at + "?api-version=2025-05-01", sub + "/resources?api-version=2021-04-01&$filter=resourceType%20eq%20'Microsoft.Network/networkSecurityGroups'"} {
		var names []string
		pages := 0
		for next := list; next != ""; pages++ {
			got := r.do(t.Context(), "GET", next, "")
			var page struct {
				Value    []struct{ Name string }
				NextLink string
			}
			if err := json.Unmarshal(got.Body, &page); err != nil || got.Status != 200 {
				t.Fatalf("%s: %v: %s", next, err, got.Body)
			}
			for _, row := range page.Value {
				names = append(names, row.Name)
			}
			if next = page.NextLink; next != "" && !strings.HasPrefix(next, r.inst.Endpoint()+sub) {
				t.Errorf("nextLink leads elsewhere: %s", next)
			}
		}
		if strings.Join(names, "") != "abcde" || pages != 3 {
			t.Errorf("%s: %v in %d pages", list, names, pages)
		}
	}
	wantRefusal(t, r.do(t.Context(), "GET", at+"?api-version=2025-05-01&$skiptoken=250", ""), 400, "InvalidSkipToken")
}

// TestSpelling checks casing, slashes and escapes of URLs: the id keeps the spelling of the
// first PUT.
func TestSpelling(t *testing.T) {
	r, sub := ground(t)
	id := sub + "/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/My-Nsg"
	r.settle(t.Context(), r.do(t.Context(), "PUT", id+"?api-version=2025-05-01", `{"location":"East US"}`))
	for _, path := range []string{
		strings.ToUpper(id), strings.ToLower(id), "/" + strings.ReplaceAll(id, "/", "//") + "/",
		strings.Replace(id, "My-Nsg", "%4dY-n%73g", 1), strings.Replace(id, "resourceGroups/rg", "resourcegroups/RG", 1),
	} {
		for _, method := range []string{"GET", "PUT"} {
			body := ""
			if method == "PUT" {
				body = `{"location":"eastus"}`
			}
			got := r.do(t.Context(), method, path+"?api-version=2025-05-01", body)
			var nsg struct{ ID, Location string }
			if err := json.Unmarshal(got.Body, &nsg); err != nil || nsg.ID != id || nsg.Location != "eastus" {
				t.Errorf("%s %s: %d %s %s", method, path, got.Status, nsg.ID, nsg.Location)
			}
			if method == "PUT" {
				r.settle(t.Context(), got)
			}
		}
	}
}
