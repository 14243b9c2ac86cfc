package azlocal

import (
	"testing"

	"mngr/internal/azlocal/fault"
)

// TestWritesToWhatGoes writes to network resources whose deletion is under way, and refers to
// them: neither may succeed, for what it wrote would vanish.
func TestWritesToWhatGoes(t *testing.T) {
	g := newNetworkGround(t)
	ctx := within(t)
	bodies := map[string]string{
		"publicIPAddresses/p":     `{"location":"eastus","sku":{"name":"Standard"}}`,
		"networkSecurityGroups/n": `{"location":"eastus"}`,
		"networkInterfaces/i":     g.nic("eastus", g.subnet()),
		"networkSecurityGroups/m/securityRules/r": `{"properties":{"priority":100,"direction":"Inbound","access":"Allow","protocol":"Tcp","sourceAddressPrefix":"*",
			"sourcePortRange":"*","destinationAddressPrefix":"*","destinationPortRange":"22"}}`,
	}
	g.made(ctx, "networkSecurityGroups/m", `{"location":"eastus"}`)
	if _, err := g.server.world.Faults.Add(fault.Rule{On: "Microsoft.Network/*/delete", Times: len(bodies), Effect: fault.NeverFinish}); err != nil {
		t.Fatal(err)
	}
	for path, body := range bodies {
		g.made(ctx, path, body)
		if got := g.do(ctx, "DELETE", g.at(path), ""); got.Status > 202 {
			t.Fatalf("DELETE %s: %d %s", path, got.Status, got.Body)
		}
		wantRefusal(t, g.put(ctx, path, body), 409, "AnotherOperationInProgress", "To retrieve status of the operation use uri: "+g.inst.Endpoint())
	}
	wantRefusal(t, g.put(ctx, "networkSecurityGroups/n/securityRules/r", bodies["networkSecurityGroups/m/securityRules/r"]), 409, "AnotherOperationInProgress")
	for property, path := range map[string]string{"publicIPAddress": "publicIPAddresses/p", "networkSecurityGroup": "networkSecurityGroups/n"} {
		ref := `"` + property + `":{"id":"` + g.net + path + `"}`
		body := g.nic("eastus", g.subnet()+","+ref)
		if property == "networkSecurityGroup" {
			body = `{"location":"eastus","properties":{` + ref + `,"ipConfigurations":[{"name":"c","properties":{` + g.subnet() + `}}]}}`
		}
		wantRefusal(t, g.put(ctx, "networkInterfaces/new", body), 409, "ReferencedResourceNotProvisioned", g.net+path, "Deleting")
	}
	g.made(ctx, "networkInterfaces/new", g.nic("eastus", g.subnet()))
}
