package azlocal

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"mngr/internal/azlocal/fabric"
)

const authorizationAPI = "?api-version=2022-04-01"

// person makes a principal with a custom role of actions at a scope, and speaks as it.
func (r *raw) person(name, scope string, actions ...string) *raw {
	r.t.Helper()
	list, err := json.Marshal(actions)
	if err != nil {
		r.t.Fatal(err)
	}
	sub := "/subscriptions/" + r.inst.Subscription
	put := r.do(r.t.Context(), "PUT", sub+"/providers/Microsoft.Authorization/roleDefinitions/"+uuid.NewString()+authorizationAPI,
		fmt.Sprintf(`{"properties":{"roleName":%q,"assignableScopes":[%q],"permissions":[{"actions":%s}]}}`, "role of "+name, sub, list))
	if put.Status != 201 {
		r.t.Fatalf("make a role: %d %s", put.Status, put.Body)
	}
	return r.member(name, scope, "role of "+name)
}

// member makes a principal with a role at a scope, and speaks as it.
func (r *raw) member(name, scope, role string) *raw {
	r.t.Helper()
	body := fmt.Sprintf(`{"name":%q,"roles":[%q],"scope":%q}`, name, role, scope)
	if _, err := r.server.addPrincipal(httptest.NewRequest("POST", "/principals", strings.NewReader(body))); err != nil {
		r.t.Fatal(err)
	}
	return r.as(name)
}

// as speaks as a principal that exists, with a new token.
func (r *raw) as(name string) *raw {
	r.t.Helper()
	p, err := r.inst.Principal(name)
	if err != nil {
		r.t.Fatal(err)
	}
	app, _ := r.server.apps.FindObject(p.ObjectID)
	token, _, err := r.server.issuer.Sign(app.Principal, "https://management.azure.com/", "", tokenLife, "CP1")
	if err != nil {
		r.t.Fatal(err)
	}
	return &raw{local: r.local, token: token, client: r.client}
}

// refused checks an answer's status, code, and a part of its text; "" for none.
func (r reply) refused(t *testing.T, what string, status int, code, part string) {
	t.Helper()
	var e struct {
		Error struct{ Code, Message string }
	}
	if r.Status != 204 && len(r.Body) > 0 {
		if err := json.Unmarshal(r.Body, &e); err != nil {
			t.Fatalf("%s: %v: %s", what, err, r.Body)
		}
	}
	if r.Status != status || e.Error.Code != code || !strings.Contains(e.Error.Message, part) {
		t.Errorf("%s: got %d %s\nwant %d %s %q", what, r.Status, r.Body, status, code, part)
	}
}

// TestLinkedAuthorization lets somebody write what names other things, and checks what is
// said when the right to use these is missing, beside a request that is allowed.
func TestLinkedAuthorization(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	l.sdk(l.credential()).prepare(ctx)
	owner := l.raw(ctx)
	subnet, nsg := l.id("Microsoft.Network/virtualNetworks/vnet/subnets/default"), l.id("Microsoft.Network/networkSecurityGroups/nsg")
	writer := owner.person("writer", "rg", "Microsoft.Network/*/write", "Microsoft.Compute/*/write", "Microsoft.Network/publicIPAddresses/join/action", "Microsoft.Authorization/roleDefinitions/write")
	joiner := owner.person("joiner", "rg", "Microsoft.Network/*/write", "Microsoft.Compute/*/write", "*/join/action", "Microsoft.Network/virtualNetworks/read")
	nic := func(subnet string) string {
		return fmt.Sprintf(`{"location":"westus","properties":{"networkSecurityGroup":{"id":%q},"ipConfigurations":[{"name":"ip","properties":{"subnet":{"id":%q}}}]}}`, nsg, subnet)
	}
	const network, compute = "?api-version=2024-05-01", "?api-version=2024-07-01"
	nicURL := l.id("Microsoft.Network/networkInterfaces/nic") + network

	got := writer.do(ctx, "PUT", nicURL, nic(subnet))
	got.refused(t, "interface", 403, "LinkedAuthorizationFailed", "has permission to perform action 'Microsoft.Network/networkInterfaces/write' on scope '"+l.id("Microsoft.Network/networkInterfaces/nic")+
		"'; however, it does not have permission to perform action(s) 'Microsoft.Network/networkSecurityGroups/join/action,Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '"+nsg+","+subnet+"' (respectively) or the linked scope(s) are invalid.")
	if got.Header.Get("x-ms-failure-cause") != "gateway" {
		t.Error("the refusal does not come from ARM")
	}
	writer.do(ctx, "PUT", strings.Replace(subnet, "default", "second", 1)+network, fmt.Sprintf(`{"properties":{"addressPrefix":"10.0.9.0/24","networkSecurityGroup":{"id":%q}}}`, nsg)).
		refused(t, "subnet", 403, "LinkedAuthorizationFailed", "'Microsoft.Network/networkSecurityGroups/join/action' on the linked scope(s) '"+nsg+"'")
	writer.do(ctx, "PUT", l.id("Microsoft.Network/virtualNetworks/other")+network, fmt.Sprintf(`{"location":"westus","properties":{"addressSpace":{"addressPrefixes":["10.9.0.0/16"]},"subnets":[{"name":"s","properties":{"addressPrefix":"10.9.0.0/24","networkSecurityGroup":{"id":%q}}}]}}`, nsg)).
		refused(t, "vnet", 403, "LinkedAuthorizationFailed", "Microsoft.Network/virtualNetworks/write")
	writer.do(ctx, "PUT", l.id("Microsoft.Network/virtualNetworks/other")+network, `{"location":"westus","properties":{"addressSpace":{"addressPrefixes":["10.9.0.0/16"]}}}`).refused(t, "vnet that names nothing", 201, "", "")
	writer.do(ctx, "PUT", l.id("Microsoft.Compute/virtualMachines/vm")+compute, fmt.Sprintf(`{"location":"westus","properties":{"networkProfile":{"networkInterfaces":[{"id":%q}]}}}`, l.id("Microsoft.Network/networkInterfaces/nic"))).
		refused(t, "machine", 403, "LinkedAuthorizationFailed", "'Microsoft.Network/networkInterfaces/join/action'")
	writer.do(ctx, "PUT", l.id("Microsoft.Compute/virtualMachines/vm")+compute, fmt.Sprintf(`{"location":"westus","properties":{"storageProfile":{"osDisk":{"managedDisk":{"id":"/subscriptions/%s/resourceGroups/elsewhere/providers/Microsoft.Compute/disks/d"}}}}}`, l.inst.Subscription)).
		refused(t, "machine with somebody's disk", 403, "LinkedAuthorizationFailed", "'Microsoft.Compute/disks/write'")
	writer.do(ctx, "PUT", l.id("Microsoft.Compute/virtualMachines/vm")+compute, fmt.Sprintf(`{"location":"westus","properties":{"storageProfile":{"imageReference":{"id":%q}}}}`, l.id("Microsoft.Compute/galleries/g/images/i/versions/1.0.0"))).
		refused(t, "machine of a gallery's image", 403, "LinkedAuthorizationFailed", "'Microsoft.Compute/galleries/images/versions/read'")
	writer.do(ctx, "PUT", "/subscriptions/"+l.inst.Subscription+"/resourceGroups/rg/providers/Microsoft.Authorization/roleDefinitions/"+uuid.NewString()+authorizationAPI,
		fmt.Sprintf(`{"properties":{"roleName":"wide","assignableScopes":["/subscriptions/%s"],"permissions":[]}}`, l.inst.Subscription)).
		refused(t, "role for more than one's own", 403, "LinkedAuthorizationFailed", "'Microsoft.Authorization/roleDefinitions/write' on the linked scope(s) '/subscriptions/"+l.inst.Subscription+"'")

	joiner.do(ctx, "PUT", nicURL, nic("subnets/default")).refused(t, "no id", 400, "LinkedInvalidPropertyId",
		"Property id 'subnets/default' at path 'properties.ipConfigurations[0].properties.subnet.id' is invalid.")
	foreign := uuid.NewString()
	joiner.do(ctx, "PUT", nicURL, nic("/subscriptions/"+foreign+"/x/y")).refused(t, "another subscription", 403, "LinkedAuthorizationFailed", "however the linked subscription '"+foreign+"' was not found")
	joiner.do(ctx, "PUT", nicURL, nic(subnet)).refused(t, "with the rights", 201, "", "")
}

// TestInlineNetworkRights makes a machine with an inline interface as one who may join the
// network but not write to it, under each answer of the switch.
func TestInlineNetworkRights(t *testing.T) {
	for answer, want := range map[string]struct {
		status     int
		code, text string
	}{
		"accepted":        {201, "", ""},
		"refused":         {403, "LinkedAuthorizationFailed", "'Microsoft.Network/networkInterfaces/write,Microsoft.Network/publicIPAddresses/write'"},
		"operation-fails": {201, "", ""},
	} {
		t.Run(answer, func(t *testing.T) {
			l := startLocal(t, map[string]string{fabric.InlineNetworkRights: answer})
			ctx := within(t)
			c := l.sdk(l.credential())
			c.prepare(ctx)
			owner := l.raw(ctx)
			maker := owner.person("maker", "rg", "Microsoft.Compute/virtualMachines/*", "Microsoft.Network/*/join/action")
			body, err := json.Marshal(c.machine(nil))
			if err != nil {
				t.Fatal(err)
			}
			url := l.id("Microsoft.Compute/virtualMachines/vm") + "?api-version=2024-07-01"
			rep := maker.do(ctx, "PUT", url, string(body))
			rep.refused(t, answer, want.status, want.code, want.text)
			switch answer {
			case "accepted":
				maker.settle(ctx, rep)
			case "refused":
				owner.do(ctx, "GET", url, "").refused(t, "what is left", 404, "ResourceNotFound", "")
			case "operation-fails":
				await(ctx, t, "failed", func() bool {
					return strings.Contains(string(maker.do(ctx, "GET", rep.Header.Get("Azure-AsyncOperation"), "").Body), `"code":"AuthorizationFailed"`)
				})
			}
		})
	}
}
