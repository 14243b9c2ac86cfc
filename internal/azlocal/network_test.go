package azlocal

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"mngr/internal/azlocal/fault"
)

const netVersion = "?api-version=2025-05-01"

// networkGround has a network vn 10.0.0.0/16 with a subnet s 10.0.0.0/28 in rg, eastus.
type networkGround struct {
	*raw
	net string // of rg
}

func newNetworkGround(t testing.TB) *networkGround {
	t.Helper()
	r, sub := ground(t)
	g := &networkGround{raw: r, net: sub + "/resourceGroups/rg/providers/Microsoft.Network/"}
	g.made(t.Context(), "virtualNetworks/vn", `{"location":"eastus","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[{"name":"s","properties":{"addressPrefix":"10.0.0.0/28"}}]}}`)
	return g
}

func (g *networkGround) at(path string) string {
	if strings.Contains(path, "?") {
		return g.net + strings.Replace(path, "?", netVersion+"&", 1)
	}
	return g.net + path + netVersion
}

func (g *networkGround) put(ctx context.Context, path, body string) reply {
	g.t.Helper()
	return g.do(ctx, "PUT", g.at(path), body)
}

// made puts a resource and waits for it.
func (g *networkGround) made(ctx context.Context, path, body string) {
	g.t.Helper()
	got := g.put(ctx, path, body)
	if got.Status > 201 {
		g.t.Fatalf("%s: %d %s", path, got.Status, got.Body)
	}
	g.settle(ctx, got)
}

func (g *networkGround) nic(location, config string) string {
	return `{"location":"` + location + `","properties":{"ipConfigurations":[{"name":"c","properties":{` + config + `}}]}}`
}

func (g *networkGround) subnet() string {
	return `"subnet":{"id":"` + g.net + `virtualNetworks/vn/subnets/s"}`
}

func subnetBody(prefix string) string { return `{"properties":{"addressPrefix":"` + prefix + `"}}` }

// TestNetworkRefusals gives every kind of network resource wrong input; after each refusal the
// same request with good input is served, or is by another test.
func TestNetworkRefusals(t *testing.T) {
	g := newNetworkGround(t)
	ctx := within(t)
	g.made(ctx, "networkSecurityGroups/west", `{"location":"westus2"}`)
	g.made(ctx, "publicIPAddresses/p", `{"location":"eastus","sku":{"name":"Standard"},"properties":{"dnsSettings":{"domainNameLabel":"web1"}}}`)
	g.made(ctx, "publicIPAddresses/west", `{"location":"westus2","sku":{"name":"Standard"}}`)
	g.made(ctx, "networkInterfaces/first", g.nic("eastus", g.subnet()+`,"publicIPAddress":{"id":"`+g.net+`publicIPAddresses/p"}`))
	rule := func(change string) string {
		body := `{"properties":{"priority":100,"direction":"Inbound","access":"Allow","protocol":"Tcp","sourceAddressPrefix":"*","sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22"}}`
		if change != "" {
			from, to, _ := strings.Cut(change, " => ")
			body = strings.Replace(body, from, to, 1)
		}
		return body
	}
	g.made(ctx, "networkSecurityGroups/west/securityRules/one", rule(""))
	vnet := func(prefixes, subnets string) string {
		return `{"location":"eastus","properties":{"addressSpace":{"addressPrefixes":[` + prefixes + `]},"subnets":[` + subnets + `]}}`
	}
	standard := func(props string) string {
		return `{"location":"eastus","sku":{"name":"Standard"},"properties":{` + props + `}}`
	}
	for _, c := range []struct {
		path, body string
		status     int
		code, text string
	}{
		{"virtualNetworks/x", vnet(`"10.0.0.0/16"`, ""), 400, "NetcfgInvalidVirtualNetworkSite", "'x'"},
		{"virtualNetworks/-x", vnet(`"10.0.0.0/16"`, ""), 400, "InvalidResourceName", "Resource name -x is invalid. The name can be up to 80"},
		{"virtualNetworks/v2", vnet(`"10.0.0.0"`, ""), 400, "InvalidAddressPrefixFormat", "10.0.0.0"},
		{"virtualNetworks/v2", vnet(`"10.0.0.1/16"`, ""), 400, "InvalidCIDRNotation", "should be 10.0.0.0/16"},
		{"virtualNetworks/v2", vnet(``, ""), 400, "InvalidAddressSpace", ""},
		{"virtualNetworks/v2", strings.Replace(vnet(`"10.0.0.0/16"`, ""), "eastus", "moon", 1), 400, "LocationNotAvailableForResourceType", "'Microsoft.Network/virtualNetworks'"},
		{"virtualNetworks/vn", strings.Replace(vnet(`"10.0.0.0/16"`, ""), "eastus", "westus", 1), 409, "InvalidResourceLocation", "The resource 'vn' already exists in location 'eastus' in resource group 'rg'."},
		{"virtualNetworks/v2", vnet(`"10.0.0.0/16"`, `{"name":"a","properties":{"addressPrefix":"10.1.0.0/24"}}`), 400, "NetcfgSubnetRangeOutsideVnet", "'a'"},
		{"virtualNetworks/v2", vnet(`"10.0.0.0/16"`, `{"name":"a","properties":{"addressPrefix":"10.0.0.0/24"}},{"name":"b","properties":{"addressPrefix":"10.0.0.128/25"}}`), 400, "NetcfgSubnetRangesOverlap", "'b'"},
		{"virtualNetworks/vn", vnet(`"10.0.0.0/16"`, ""), 400, "InUseSubnetCannotBeDeleted", "Subnet s is in use by "},
		{"virtualNetworks/v2", vnet(`"10.0.0.0/16"`, `{"name":"a/b","properties":{"addressPrefix":"10.0.0.0/24"}}`), 400, "InvalidResourceName", "Resource name a/b is invalid."},
		{"networkSecurityGroups/n2", `{"location":"eastus","properties":{"securityRules":[` + strings.Replace(rule(""), "{", `{"name":"a/b",`, 1) + `]}}`, 400, "InvalidResourceName", "Resource name a/b is invalid."},
		{"networkInterfaces/n", strings.Replace(g.nic("eastus", g.subnet()), `"name":"c"`, `"name":"a/b"`, 1), 400, "InvalidResourceName", "Resource name a/b is invalid."},
		{"virtualNetworks/nope/subnets/a", subnetBody("10.0.1.0/24"), 404, "ParentResourceNotFound", "Failed to perform 'write' on resource(s) of type 'virtualNetworks/subnets'"},
		{"virtualNetworks/vn/subnets/a", subnetBody("10.0.0.8/29"), 400, "NetcfgSubnetRangesOverlap", "virtual network 'vn'"},
		{"virtualNetworks/vn/subnets/a", subnetBody("10.0.1.0/30"), 400, "NetcfgInvalidSubnet", "Subnet 'a' is not valid in virtual network 'vn'."},
		{"virtualNetworks/vn/subnets/s", subnetBody("10.0.7.0/24"), 400, "InUsePrefixCannotBeDeleted", "IpPrefix 10.0.0.0/28 on Subnet s has active allocations"},
		{"virtualNetworks/vn/subnets/a", `{"properties":{"addressPrefix":"10.0.1.0/24","networkSecurityGroup":{"id":"` + g.net + `networkSecurityGroups/west"}}}`, 400, "InvalidResourceReference", "both resources are in the same region"},
		{"virtualNetworks/vn/subnets/a", `{"properties":{"addressPrefix":"10.0.1.0/24","networkSecurityGroup":{"id":"nsg"}}}`, 400, "LinkedInvalidPropertyId", "Property id 'nsg' at path 'properties.networkSecurityGroup.id' is invalid."},
		{"networkSecurityGroups/west/securityRules/two", rule(""), 400, "SecurityRuleConflict", "Security rule two conflicts with rule one. Rules cannot have the same Priority and Direction."},
		{"networkSecurityGroups/west/securityRules/two", rule("100 => 99"), 400, "SecurityRuleInvalidPriority", "99"},
		{"networkSecurityGroups/west/securityRules/two", rule("100 => 4097"), 400, "SecurityRuleInvalidPriority", "4097"},
		{"networkSecurityGroups/west/securityRules/two", rule(`"22" => "22,80"`), 400, "SecurityRuleInvalidPortRange", "Security rule has invalid Port range. Value provided: 22,80."},
		{"networkSecurityGroups/west/securityRules/two", rule(`"22" => "70000"`), 400, "SecurityRuleInvalidPortRange", "70000"},
		{"networkSecurityGroups/west/securityRules/two", rule(`Prefix":"*" => Prefix":"50.206.209.68/27"`), 400, "SecurityRuleInvalidAddressPrefix", "has invalid Address prefix. Value provided: 50.206.209.68/27"},
		{"networkSecurityGroups/nope/securityRules/two", rule(""), 404, "ParentResourceNotFound", "'networkSecurityGroups/securityRules'"},
		{"publicIPAddresses/q", standard(`"publicIPAllocationMethod":"Dynamic"`), 400, "StandardSkuPublicIPAddressesMustBeStatic", "must have AllocationMethod set to Static."},
		{"publicIPAddresses/p", `{"location":"eastus"}`, 400, "PublicIPAddressSkuCannotBeChanged", "cannot be changed from Standard to Basic on resource update for resource " + g.net},
		{"publicIPAddresses/q", `{"location":"eastus","zones":["1"]}`, 400, "ZonesNotAllowedInBasicSkuResource", "Please use standard SKU."},
		{"publicIPAddresses/q", standard(`"dnsSettings":{"domainNameLabel":"web1"}`), 400, "DnsRecordInUse", "DNS record web1.eastus.cloudapp.azure.com is already used"},
		{"publicIPAddresses/q", standard(`"dnsSettings":{"domainNameLabel":"Web_1"}`), 400, "InvalidDomainNameLabel", "Web_1"},
		{"networkInterfaces/n", g.nic("westus2", g.subnet()), 400, "InvalidResourceReference", "virtualNetworks/vn/subnets/s referenced by resource"},
		{"networkInterfaces/n", g.nic("eastus", strings.Replace(g.subnet(), "/s\"", "/t\"", 1)), 400, "InvalidResourceReference", "subnets/t"},
		{"networkInterfaces/n", g.nic("eastus", g.subnet()+`,"publicIPAddress":{"id":"`+g.net+`publicIPAddresses/west"}`), 400, "InvalidResourceReference", "publicIPAddresses/west"},
		{"networkInterfaces/n", g.nic("eastus", g.subnet()+`,"publicIPAddress":{"id":"`+g.net+`publicIPAddresses/p"}`), 400, "PublicIPAddressInUse", "is referencing public IP address"},
		{"networkInterfaces/n", g.nic("eastus", ""), 400, "SubnetIsRequired", ""},
		{"networkInterfaces/n", `{"location":"eastus","properties":{}}`, 400, "NetworkInterfaceMustHaveAtleastOneIpConfiguration", ""},
		{"networkInterfaces/n", g.nic("eastus", g.subnet()+`,"privateIPAllocationMethod":"Static","privateIPAddress":"10.0.0.4"`), 400, "PrivateIPAddressIsAllocated", "is using the private IP address 10.0.0.4 which is already allocated to resource " + g.net + "networkInterfaces/first."},
		{"networkInterfaces/n", g.nic("eastus", g.subnet()+`,"privateIPAllocationMethod":"Static","privateIPAddress":"10.0.0.3"`), 400, "PrivateIPAddressInReservedRange", "10.0.0.3 falls within reserved IP range of subnet prefix 10.0.0.0/28"},
		{"networkInterfaces/n", g.nic("eastus", g.subnet()+`,"privateIPAllocationMethod":"Static","privateIPAddress":"10.0.0.15"`), 400, "PrivateIPAddressInReservedRange", "10.0.0.15"},
		{"networkInterfaces/n", g.nic("eastus", g.subnet()+`,"privateIPAllocationMethod":"Static","privateIPAddress":"10.0.9.9"`), 400, "PrivateIPAddressNotInSubnet", "10.0.9.9"},
	} {
		wantRefusal(t, g.put(ctx, c.path, c.body), c.status, c.code, c.text)
	}
	for path, code := range map[string]string{
		"virtualNetworks/vn": "InUseSubnetCannotBeDeleted", "virtualNetworks/vn/subnets/s": "InUseSubnetCannotBeDeleted", "publicIPAddresses/p": "PublicIPAddressCannotBeDeleted",
	} {
		wantRefusal(t, g.do(ctx, "DELETE", g.at(path), ""), 400, code, g.net)
	}
	g.made(ctx, "networkInterfaces/n", g.nic("eastus", g.subnet()+`,"privateIPAllocationMethod":"Static","privateIPAddress":"10.0.0.14"`))
	g.made(ctx, "virtualNetworks/vn/subnets/a", subnetBody("10.0.1.0/24"))
	g.made(ctx, "virtualNetworks/vn/subnets/s", subnetBody("10.0.0.0/27"))
	g.made(ctx, "networkSecurityGroups/west/securityRules/two", rule("Inbound => Outbound"))
	g.made(ctx, "publicIPAddresses/q", standard(`"dnsSettings":{"domainNameLabel":"web2"}`))
	if got := g.do(ctx, "GET", g.at("publicIPAddresses/q"), "").object(t, 200); got.Str("properties", "dnsSettings", "fqdn") != "web2.eastus.cloudapp.azure.com" {
		t.Errorf("no DNS name: %v", got)
	}
	for _, path := range []string{"networkInterfaces/nope", "virtualNetworks/nope", "virtualNetworks/vn/subnets/nope", "networkSecurityGroups/west/securityRules/nope"} {
		if got := g.do(ctx, "DELETE", g.at(path), ""); got.Status != http.StatusNoContent {
			t.Errorf("DELETE of nothing, %s: %d", path, got.Status)
		}
	}
}

// TestSubnetIsFull fills a subnet: of 16 addresses Azure keeps five.
func TestSubnetIsFull(t *testing.T) {
	g := newNetworkGround(t)
	ctx := within(t)
	for i := range 11 {
		g.made(ctx, fmt.Sprintf("networkInterfaces/n%d", i), g.nic("eastus", g.subnet()))
	}
	wantRefusal(t, g.put(ctx, "networkInterfaces/more", g.nic("eastus", g.subnet())), 400, "SubnetIsFull", "with address prefix 10.0.0.0/28 does not have enough capacity for 1 IP addresses.")
	use := g.do(ctx, "GET", g.at("virtualNetworks/vn/usages"), "").object(t, 200).List("value")
	if len(use) != 1 || use[0].Int("currentValue") != 11 || use[0].Int("limit") != 11 || use[0].Str("name", "localizedValue") != "Subnet size and usage" {
		t.Errorf("usages: %v", use)
	}
	ask := func(a string) reply {
		return g.do(ctx, "GET", g.at("virtualNetworks/vn/CheckIPAddressAvailability?ipAddress="+a), "")
	}
	if got := ask("10.0.0.4").object(t, 200); got.Bool("available") || len(got.Strings("availableIPAddresses")) != 0 {
		t.Errorf("10.0.0.4 in a full subnet: %v", got)
	}
	g.settle(ctx, g.do(ctx, "DELETE", g.at("networkInterfaces/n3"), ""))
	if got := ask("10.0.0.4").object(t, 200).Strings("availableIPAddresses"); strings.Join(got, " ") != "10.0.0.7" {
		t.Errorf("free: %v", got)
	}
	if got := ask("10.0.0.7").object(t, 200); !got.Bool("available") {
		t.Errorf("10.0.0.7: %v", got)
	}
	wantRefusal(t, ask("10.3.0.4"), 400, "PrivateIPAddressNotInAnySubnet", "10.3.0.4")
	g.made(ctx, "networkInterfaces/more", g.nic("eastus", g.subnet()))
}

// TestOneOperationAtATime works on a network from two sides at once: Azure serves one.
func TestOneOperationAtATime(t *testing.T) {
	g := newNetworkGround(t)
	ctx := within(t)
	var wg sync.WaitGroup
	replies := make([]reply, 6)
	for i := range replies {
		wg.Go(func() {
			replies[i] = g.put(ctx, fmt.Sprintf("virtualNetworks/vn/subnets/a%d", i), subnetBody(fmt.Sprintf("10.0.%d.0/24", i+1)))
		})
	}
	wg.Wait()
	served := 0
	for _, got := range replies {
		if got.Status == http.StatusCreated {
			served++
			g.settle(ctx, got)
			continue
		}
		wantRefusal(t, got, 409, "AnotherOperationInProgress", "To retrieve status of the operation use uri: "+g.inst.Endpoint())
	}
	if served == 0 {
		t.Error("none of six was served")
	}
	if _, err := g.server.world.Faults.Add(fault.Rule{On: "Microsoft.Network/virtualNetworks/subnets/write", Times: 1, Effect: fault.NeverFinish}); err != nil {
		t.Fatal(err)
	}
	g.put(ctx, "virtualNetworks/vn/subnets/b", subnetBody("10.0.50.0/24")).object(t, 201)
	wantRefusal(t, g.put(ctx, "networkInterfaces/n", g.nic("eastus", g.subnet())), 409, "AnotherOperationInProgress")
	wantRefusal(t, g.put(ctx, "virtualNetworks/vn/subnets/c", subnetBody("10.0.51.0/24")), 409, "AnotherOperationInProgress")
	wantRefusal(t, g.do(ctx, "DELETE", g.at("virtualNetworks/vn/subnets/s"), ""), 409, "AnotherOperationInProgress")
	wantRefusal(t, g.do(ctx, "DELETE", g.at("virtualNetworks/vn"), ""), 409, "AnotherOperationInProgress")
	g.made(ctx, "networkSecurityGroups/aside", `{"location":"eastus"}`)
}

// TestFamilyETag checks that a network and its subnets share one ETag that every write to one of
// them changes, and that a write with an old one is refused.
func TestFamilyETag(t *testing.T) {
	g := newNetworkGround(t)
	ctx := within(t)
	tags := func() (vnet, subnet string) {
		a, b := g.do(ctx, "GET", g.at("virtualNetworks/vn"), ""), g.do(ctx, "GET", g.at("virtualNetworks/vn/subnets/s"), "")
		vnet, subnet = a.Header.Get("ETag"), b.Header.Get("ETag")
		if o := a.object(t, 200); o.Str("etag") != vnet || o.List("properties", "subnets")[0].Str("etag") != vnet || b.object(t, 200).Str("etag") != subnet {
			t.Errorf("header and body differ: %s, %s", a.Body, b.Body)
		}
		return vnet, subnet
	}
	before, child := tags()
	if before == "" || before != child {
		t.Fatalf("ETags %q and %q", before, child)
	}
	write := func(header, value string) reply {
		req, err := http.NewRequestWithContext(ctx, "PUT", g.inst.Endpoint()+g.at("virtualNetworks/vn/subnets/s"), strings.NewReader(subnetBody("10.0.0.0/28")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+g.token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(header, value)
		return g.send(req)
	}
	g.settle(ctx, write("If-Match", before))
	after, _ := tags()
	if after == before {
		t.Errorf("a write keeps the ETag %s", after)
	}
	wantRefusal(t, write("If-Match", before), 412, "PreconditionFailed")
	wantRefusal(t, write("If-None-Match", "*"), 412, "PreconditionFailed")
	g.settle(ctx, write("If-Match", "*"))
}

// TestPartsOfResources reads what is inside a resource by its own URL.
func TestPartsOfResources(t *testing.T) {
	g := newNetworkGround(t)
	ctx := within(t)
	g.made(ctx, "networkInterfaces/n", g.nic("eastus", g.subnet()))
	g.made(ctx, "networkSecurityGroups/nsg", `{"location":"eastus"}`)
	for path, want := range map[string]string{
		"networkInterfaces/n/ipConfigurations":                          `"privateIPAddress":"10.0.0.4"`,
		"networkInterfaces/n/ipConfigurations/C":                        `"privateIPAddress":"10.0.0.4"`,
		"networkSecurityGroups/nsg/defaultSecurityRules":                `"priority":65500`,
		"networkSecurityGroups/nsg/defaultSecurityRules/DenyAllInBound": `"access":"Deny"`,
	} {
		if got := g.do(ctx, "GET", g.at(path), ""); got.Status != 200 || !strings.Contains(string(got.Body), want) {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	wantRefusal(t, g.do(ctx, "GET", g.at("networkInterfaces/n/ipConfigurations/nope"), ""), 404, "ResourceNotFound")
	wantRefusal(t, g.do(ctx, "GET", g.at("virtualNetworks/nope/subnets"), ""), 404, "ResourceNotFound")
	location := "/subscriptions/" + g.inst.Subscription + "/providers/Microsoft.Network/locations/eastus/"
	if got := g.do(ctx, "GET", location+"serviceTags"+netVersion, "").object(t, 200).List("values"); len(got) != 2 || got[1].Str("properties", "region") != "eastus" {
		t.Errorf("service tags: %v", got)
	}
	if got := g.do(ctx, "GET", location+"CheckDnsNameAvailability"+netVersion+"&domainNameLabel=abc", "").object(t, 200); !got.Bool("available") {
		t.Errorf("a free name: %v", got)
	}
}

// TestNetworkRefusalLayout checks the body of a refusal by this provider byte by byte, and that ARM's own
// is compact.
func TestNetworkRefusalLayout(t *testing.T) {
	g := newNetworkGround(t)
	ctx := t.Context()
	got := g.put(ctx, "virtualNetworks/v2", `{"location":"eastus","properties":{"addressSpace":{"addressPrefixes":[]}}}`)
	if want := "{\r\n  \"error\": {\r\n    \"code\": \"InvalidAddressSpace\",\r\n    \"details\": [],\r\n"; !strings.HasPrefix(string(got.Raw), want) {
		t.Errorf("%q", got.Raw)
	}
	if got.Header.Get("x-ms-failure-cause") != "service" || got.Header.Get("x-ms-arm-service-request-id") == "" {
		t.Errorf("headers: %v", got.Header)
	}
	got = g.do(ctx, "GET", g.at("virtualNetworks/nope"), "")
	if !strings.HasPrefix(string(got.Raw), `{"error":{"code":"ResourceNotFound","message":"`) || got.Header.Get("x-ms-failure-cause") != "gateway" || got.Header.Get("x-ms-arm-service-request-id") != "" {
		t.Errorf("%q %v", got.Raw, got.Header)
	}
}

// TestSeveralConfigurations gives one interface several addresses in one PUT: each is
// another, whether it was asked for or not, and a public address has one user there as well.
func TestSeveralConfigurations(t *testing.T) {
	g := newNetworkGround(t)
	ctx := within(t)
	g.made(ctx, "publicIPAddresses/p", `{"location":"eastus","sku":{"name":"Standard"}}`)
	nic := func(configs ...string) string {
		for i, c := range configs {
			configs[i] = fmt.Sprintf(`{"name":"c%d","properties":{%s}}`, i, strings.TrimSuffix(g.subnet()+","+c, ","))
		}
		return `{"location":"eastus","properties":{"ipConfigurations":[` + strings.Join(configs, ",") + `]}}`
	}
	static := func(a string) string {
		return `"privateIPAllocationMethod":"Static","privateIPAddress":"` + a + `"`
	}
	public := `"publicIPAddress":{"id":"` + g.net + `publicIPAddresses/p"}`
	wantRefusal(t, g.put(ctx, "networkInterfaces/n", nic(public, strings.Replace(public, "/p\"", "/P\"", 1))), 400, "PublicIPAddressInUse", "ipConfigurations/c0")
	wantRefusal(t, g.put(ctx, "networkInterfaces/n", nic(static("10.0.0.9"), static("10.0.0.9"))), 400, "PrivateIPAddressIsAllocated", "10.0.0.9")
	addresses := func() (out []string) {
		for _, c := range g.do(ctx, "GET", g.at("networkInterfaces/n"), "").object(t, 200).List("properties", "ipConfigurations") {
			out = append(out, c.Str("properties", "privateIPAddress"))
		}
		return out
	}
	g.made(ctx, "networkInterfaces/n", nic("", static("10.0.0.4"), public, ""))
	if got := strings.Join(addresses(), " "); got != "10.0.0.5 10.0.0.4 10.0.0.6 10.0.0.7" {
		t.Errorf("addresses: %s", got)
	}
	g.made(ctx, "networkInterfaces/n", nic("", "", public, "", ""))
	if got := strings.Join(addresses(), " "); got != "10.0.0.5 10.0.0.4 10.0.0.6 10.0.0.7 10.0.0.8" {
		t.Errorf("addresses after another PUT: %s", got)
	}
}

// TestAddressGoesWithInterface deletes interfaces with addresses whose deleteOption lies at the
// interface: it counts in any spelling and after a PUT of the address, and ends when the address is detached.
func TestAddressGoesWithInterface(t *testing.T) {
	g := newNetworkGround(t)
	ctx := within(t)
	const address = `{"location":"eastus","sku":{"name":"Standard"}}`
	at := func(name, option string) string {
		return `,"publicIPAddress":{"id":"` + g.net + "publicIPAddresses/" + name + `","properties":{"deleteOption":"` + option + `"}}`
	}
	option := func(name string) string {
		return g.do(ctx, "GET", g.at("publicIPAddresses/"+name), "").object(t, 200).Str("properties", "deleteOption")
	}
	for _, name := range []string{"goes", "stays"} {
		g.made(ctx, "publicIPAddresses/"+name, address)
		g.made(ctx, "networkInterfaces/"+name, g.nic("eastus", g.subnet()+at(name, "delete")))
	}
	g.made(ctx, "publicIPAddresses/goes", address)
	if got := option("goes"); got != "delete" {
		t.Errorf("deleteOption while it is attached: %q", got)
	}
	g.made(ctx, "networkInterfaces/stays", g.nic("eastus", g.subnet()))
	if got := option("stays"); got != "" {
		t.Errorf("deleteOption after it was detached: %q", got)
	}
	g.made(ctx, "networkInterfaces/other", g.nic("eastus", g.subnet()+strings.Replace(at("stays", ""), `,"properties":{"deleteOption":""}`, "", 1)))
	for _, name := range []string{"goes", "other"} {
		g.settle(ctx, g.do(ctx, "DELETE", g.at("networkInterfaces/"+name), ""))
	}
	await(ctx, t, "gone", func() bool { return g.do(ctx, "GET", g.at("publicIPAddresses/goes"), "").Status == 404 })
	if got := g.do(ctx, "GET", g.at("publicIPAddresses/stays"), ""); got.Status != 200 || strings.Contains(string(got.Body), "Deleting") {
		t.Errorf("an address that was detached before: %d %s", got.Status, got.Body)
	}
}
