package azlocal

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mngr/internal/azlocal/doc"
)

const resVersion = "api-version=2021-04-01"

// body decodes a reply that must have a status.
func (r reply) object(t testing.TB, status int) doc.Object {
	t.Helper()
	var o doc.Object
	if r.Status != status {
		t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
	if err := json.Unmarshal(r.Body, &o); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	return o
}

func names(rows []doc.Object, key string) string {
	var out []string
	for _, row := range rows {
		out = append(out, row.Str(key))
	}
	return strings.Join(out, " ")
}

func TestSubscriptions(t *testing.T) {
	r, sub := ground(t)
	ctx := t.Context()
	if got := r.do(ctx, "GET", "/subscriptions?api-version=2022-12-01", "").object(t, 200).List("value"); len(got) != 1 || got[0].Str("id") != sub || got[0].Str("state") != "Enabled" {
		t.Errorf("subscriptions: %v", got)
	}
	if got := r.do(ctx, "GET", "/tenants?api-version=2022-12-01", "").object(t, 200).List("value"); len(got) != 1 || got[0].Str("tenantId") != r.inst.Tenant {
		t.Errorf("tenants: %v", got)
	}
	regions := r.do(ctx, "GET", sub+"/locations?api-version=2022-12-01", "").object(t, 200).List("value")
	i := slices.IndexFunc(regions, func(o doc.Object) bool { return o.Str("name") == "northeurope" })
	if i < 0 || regions[i].Str("metadata", "physicalLocation") != "Ireland" || regions[i].Str("regionalDisplayName") != "(Europe) North Europe" || len(regions[i].List("availabilityZoneMappings")) != 3 {
		t.Errorf("locations: %v", regions)
	}
	i = slices.IndexFunc(regions, func(o doc.Object) bool { return o.Str("name") == "westus" })
	if i < 0 || regions[i]["availabilityZoneMappings"] != nil {
		t.Errorf("West US has no zones: %v", regions)
	}
	wantRefusal(t, r.do(ctx, "GET", "/subscriptions/8f2a7a52-0000-4000-8000-123456789abc?api-version=2022-12-01", ""), 404, "SubscriptionNotFound", "'8f2a7a52-0000-4000-8000-123456789abc' could not be found")
	wantRefusal(t, r.do(ctx, "GET", "/subscriptions/8f2a7a52-0000-4000-8000-123456789abc/resourcegroups/x?"+resVersion, ""), 404, "SubscriptionNotFound")
	wantRefusal(t, r.do(ctx, "GET", "/subscriptions/mine/resourcegroups?"+resVersion, ""), 400, "InvalidSubscriptionId", "'mine' is malformed or invalid")
}

func TestProviders(t *testing.T) {
	r, sub := ground(t)
	ctx := t.Context()
	net := r.do(ctx, "GET", sub+"/providers/microsoft.network?"+resVersion, "").object(t, 200)
	if net.Str("namespace") != "Microsoft.Network" || net.Str("registrationPolicy") != "RegistrationRequired" {
		t.Errorf("provider: %v", net)
	}
	for _, row := range net.List("resourceTypes") {
		if versions := row.Strings("apiVersions"); row.Str("resourceType") == "virtualNetworks" && (versions[0] != "2025-05-01" || !slices.Contains(row.Strings("locations"), "East US") || !strings.Contains(row.Str("capabilities"), "SupportsTags")) {
			t.Errorf("type: %v", row)
		}
	}
	if rows := r.do(ctx, "GET", sub+"/providers/Microsoft.Network/resourceTypes?"+resVersion, "").object(t, 200).List("value"); !strings.Contains(names(rows, "resourceType"), "networkInterfaces") {
		t.Errorf("resourceTypes: %v", rows)
	}
	if all := r.do(ctx, "GET", "/providers?"+resVersion, "").object(t, 200).List("value"); !strings.Contains(names(all, "namespace"), "Microsoft.Compute") {
		t.Errorf("of the tenant: %v", all)
	}
	if one := r.do(ctx, "GET", "/providers/Microsoft.Compute?"+resVersion, "").object(t, 200); one.Str("id") != "/providers/Microsoft.Compute" || one["registrationState"] != nil {
		t.Errorf("of the tenant: %v", one)
	}
	wantRefusal(t, r.do(ctx, "GET", sub+"/providers/Contoso.X?"+resVersion, ""), 404, "InvalidResourceNamespace")
}

func TestGroups(t *testing.T) {
	r, sub := ground(t)
	ctx := t.Context()
	at := func(name string) string { return sub + "/resourcegroups/" + name + "?" + resVersion }
	r.do(ctx, "PUT", at("b"), `{"location":"West US 2","tags":{"env":"x"}}`).object(t, 201)
	if again := r.do(ctx, "PUT", at("B"), `{"location":"westus2","tags":{"Env":"y"}}`).object(t, 200); again.Str("name") != "b" || again.Str("id") != sub+"/resourceGroups/b" {
		t.Errorf("the second PUT: %v", again)
	}
	wantRefusal(t, r.do(ctx, "PUT", at("b"), `{"location":"eastus"}`), 409, "InvalidResourceGroupLocation", "Invalid resource group location 'eastus'. The Resource group already exists in location 'westus2'.")
	wantRefusal(t, r.do(ctx, "PATCH", at("b"), `{"location":"eastus"}`), 409, "InvalidResourceGroupLocation")
	wantRefusal(t, r.do(ctx, "PUT", at("c"), `{}`), 400, "LocationRequired")
	wantRefusal(t, r.do(ctx, "PUT", at("c"), `{"location":"moon"}`), 400, "LocationNotAvailableForResourceGroup", "'moon'", "eastus,")
	wantRefusal(t, r.do(ctx, "PUT", at("c."), `{"location":"eastus"}`), 400, "InvalidResourceGroup")
	wantRefusal(t, r.do(ctx, "DELETE", at("nope"), ""), 404, "ResourceGroupNotFound", "Resource group 'nope' could not be found.")
	list := func(query string) string {
		return names(r.do(ctx, "GET", sub+"/resourcegroups?"+resVersion+query, "").object(t, 200).List("value"), "name")
	}
	for query, want := range map[string]string{
		"": "b rg", "&$top=1": "b", "&$filter=tagName%20eq%20'ENV'": "b", "&$filter=tagName%20eq%20'env'%20and%20tagValue%20eq%20'y'": "b",
		"&$filter=tagName%20eq%20'env'%20and%20tagValue%20eq%20'x'": "",
	} {
		if got := list(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	wantRefusal(t, r.do(ctx, "GET", sub+"/resourcegroups?"+resVersion+"&$filter=name%20eq%20'b'", ""), 400, "InvalidFilterInQueryString", "Invalid $filter 'name eq 'b'' specified")
}

// TestGroupDeletionBlocked deletes a group whose network an interface of another group uses: the job
// gives up, says what was in the way, and the group is as it was but for what went.
func TestGroupDeletionBlocked(t *testing.T) {
	r, sub := ground(t)
	ctx := within(t)
	r.do(ctx, "PUT", sub+"/resourcegroups/other?"+resVersion, `{"location":"eastus"}`).object(t, 201)
	net := "/providers/Microsoft.Network/"
	vnet := sub + "/resourceGroups/rg" + net + "virtualNetworks/vn"
	r.settle(ctx, r.do(ctx, "PUT", vnet+"?api-version=2025-05-01", `{"location":"eastus","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[{"name":"s","properties":{"addressPrefix":"10.0.0.0/24"}}]}}`))
	nic := sub + "/resourceGroups/other" + net + "networkInterfaces/n?api-version=2025-05-01"
	r.settle(ctx, r.do(ctx, "PUT", nic, `{"location":"eastus","properties":{"ipConfigurations":[{"name":"c","properties":{"subnet":{"id":"`+vnet+`/subnets/s"}}}]}}`))
	end := func() reply {
		for got := r.do(ctx, "DELETE", sub+"/resourcegroups/rg?"+resVersion, ""); ; got = r.do(ctx, "GET", got.Header.Get("Location"), "") {
			if got.Status != http.StatusAccepted || ctx.Err() != nil {
				return got
			}
			if gate := r.do(ctx, "PUT", vnet+"?api-version=2025-05-01", `{"location":"eastus"}`); gate.Status == http.StatusConflict {
				wantRefusal(t, gate, 409, "ResourceGroupBeingDeleted", "'rg' is in deprovisioning state")
			}
		}
	}
	blocked := end()
	wantRefusal(t, blocked, 409, "ResourceGroupDeletionBlocked", "Deletion of resource group 'rg' failed as resources with identifiers 'Microsoft.Network/virtualNetworks/vn' could not be deleted.")
	if d := blocked.refusal(t).Error.Details; len(d) != 1 || !strings.Contains(d[0].Message, `"code":"InUseSubnetCannotBeDeleted"`) || d[0].Target != vnet {
		t.Errorf("details: %s", blocked.Body)
	}
	if g := r.do(ctx, "GET", sub+"/resourcegroups/rg?"+resVersion, "").object(t, 200); g.Str("properties", "provisioningState") != "Succeeded" {
		t.Errorf("the group: %v", g)
	}
	r.settle(ctx, r.do(ctx, "DELETE", nic, ""))
	if got := end(); got.Status != http.StatusOK {
		t.Errorf("nothing blocks any more: %d %s", got.Status, got.Body)
	}
	r.do(ctx, "GET", sub+"/resourcegroups/rg?"+resVersion, "").refusal(t)
}

func TestGenericResources(t *testing.T) {
	r, sub := ground(t)
	ctx := t.Context()
	at := sub + "/resourceGroups/rg/providers/Microsoft.Network/"
	for name, body := range map[string]string{"publicIPAddresses/p": `{"location":"eastus","tags":{"a":"1"},"sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Static"}}`, "networkSecurityGroups/n": `{"location":"westus2","tags":{"a":"2"}}`} {
		r.settle(ctx, r.do(ctx, "PUT", at+name+"?api-version=2025-05-01", body))
	}
	list := func(query string) []doc.Object {
		query = strings.ReplaceAll(query, " ", "%20")
		return r.do(ctx, "GET", sub+"/resources?"+resVersion+query, "").object(t, 200).List("value")
	}
	for query, want := range map[string]string{
		"": "n p", "&$filter=resourceType eq 'microsoft.network/PUBLICIPADDRESSES'": "p", "&$filter=name eq 'N'": "n", "&$filter=location eq 'westus2'": "n",
		"&$filter=tagName eq 'a'": "n p", "&$filter=tagName eq 'a' and tagValue eq '1'": "p", "&$filter=substringof('p', name) or name eq 'n'": "n p", "&$filter=resourceGroup eq 'other'": "", "&$top=1": "n",
	} {
		if got := names(list(query), "name"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if row := list("&$filter=name eq 'p'&$expand=createdTime,changedTime,provisioningState")[0]; row.Str("createdTime") == "" || row.Str("changedTime") < row.Str("createdTime") ||
		row.Str("provisioningState") != "Succeeded" || row.Str("sku", "name") != "Standard" || row["properties"] != nil || row.Str("type") != "Microsoft.Network/publicIPAddresses" {
		t.Errorf("a row: %v", row)
	}
	if row := list("")[0]; row["createdTime"] != nil || row["provisioningState"] != nil {
		t.Errorf("a row without $expand: %v", row)
	}
	wantRefusal(t, r.do(ctx, "GET", sub+"/resourceGroups/nope/resources?"+resVersion, ""), 404, "ResourceGroupNotFound")
	wantRefusal(t, r.do(ctx, "GET", at+"publicIPAddresses/x?api-version=2025-05-01", ""), 404, "ResourceNotFound", "The Resource 'Microsoft.Network/publicIPAddresses/x' under resource group 'rg' was not found. For more details")
}

func TestTagNames(t *testing.T) {
	r, sub := ground(t)
	ctx := t.Context()
	do := func(method, path string) reply { return r.do(ctx, method, sub+"/tagNames"+path+"?"+resVersion, "") }
	do("PUT", "/Cost").object(t, 201)
	do("PUT", "/cost").object(t, 200)
	do("PUT", "/cost/tagValues/low").object(t, 201)
	r.do(ctx, "PATCH", sub+"/resourcegroups/rg?"+resVersion, `{"tags":{"cost":"high","other":"x"}}`).object(t, 200)
	rows := do("GET", "").object(t, 200).List("value")
	if names(rows, "tagName") != "Cost other" || rows[0].Int("count", "value") != 1 || names(rows[0].List("values"), "tagValue") != "high low" {
		t.Errorf("tags: %v", rows)
	}
	wantRefusal(t, do("DELETE", "/cost"), 409, "TagNameInUse")
	wantRefusal(t, do("PUT", "/nope/tagValues/x"), 404, "TagNameNotFound")
	for _, step := range []struct {
		path   string
		status int
	}{{"/cost/tagValues/low", 200}, {"/cost/tagValues/low", 204}, {"/nope", 204}} {
		if got := do("DELETE", step.path); got.Status != step.status {
			t.Errorf("DELETE %s: %d %s", step.path, got.Status, got.Body)
		}
	}
	r.do(ctx, "PATCH", sub+"/resourcegroups/rg?"+resVersion, `{"tags":{}}`).object(t, 200)
	if got := do("DELETE", "/cost"); got.Status != 200 || names(do("GET", "").object(t, 200).List("value"), "tagName") != "" {
		t.Errorf("the name stays: %d", got.Status)
	}
}

// TestTagsOfTheSubscription writes tags at the widest scope, where no resource holds them.
func TestTagsOfTheSubscription(t *testing.T) {
	r, sub := ground(t)
	ctx := t.Context()
	tags := sub + "/providers/Microsoft.Resources/tags/default?" + resVersion
	r.do(ctx, "GET", tags, "").object(t, 200)
	r.do(ctx, "PUT", tags, `{"properties":{"tags":{"team":"a","x":"1"}}}`).object(t, 200)
	r.do(ctx, "PATCH", tags, `{"operation":"Merge","properties":{"tags":{"TEAM":"b"}}}`).object(t, 200)
	got := r.do(ctx, "PATCH", tags, `{"operation":"Delete","properties":{"tags":{"x":"1"}}}`).object(t, 200)
	if got.Str("properties", "tags", "team") != "b" || len(got.Obj("properties", "tags")) != 1 {
		t.Errorf("tags: %v", got)
	}
	if s := r.do(ctx, "GET", sub+"?api-version=2022-12-01", "").object(t, 200); s.Str("tags", "team") != "b" {
		t.Errorf("the subscription: %v", s)
	}
	if rows := r.do(ctx, "GET", sub+"/tagNames?"+resVersion, "").object(t, 200).List("value"); names(rows, "tagName") != "team" {
		t.Errorf("names of tags: %v", rows)
	}
	wantRefusal(t, r.do(ctx, "PATCH", tags, `{"operation":"Append","properties":{"tags":{}}}`), 400, "InvalidRequestContent")
	child := sub + "/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/n"
	r.settle(ctx, r.do(ctx, "PUT", child+"?api-version=2025-05-01", `{"location":"eastus","properties":{"securityRules":[{"name":"a","properties":{"priority":100,"direction":"Inbound","access":"Allow","protocol":"*","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"*"}}]}}`))
	r.do(ctx, "PUT", child+"/providers/Microsoft.Resources/tags/default?"+resVersion, `{"properties":{"tags":{"a":"b"}}}`).object(t, 200)
	wantRefusal(t, r.do(ctx, "PUT", child+"/securityRules/a/providers/Microsoft.Resources/tags/default?"+resVersion, `{"properties":{"tags":{"a":"b"}}}`), 400, "InvalidTagScope")
	if got := r.do(ctx, "DELETE", tags, ""); got.Status != 200 {
		t.Errorf("DELETE: %d", got.Status)
	}
}
