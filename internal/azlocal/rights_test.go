package azlocal

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/google/uuid"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/imds"
)

// fixed is a credential with one token, such as IMDS gave it.
type fixed string

func (f fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// askIMDS sends a request as the machine called name would.
func (c *clients) askIMDS(name, path string, header http.Header) *httptest.ResponseRecorder {
	c.t.Helper()
	key := ""
	c.server.world.View(func(t *fabric.Tx) {
		for _, vm := range compute.Status(t) {
			if vm.Name == name {
				key = vm.Key
			}
		}
	})
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Header = header
	rec := httptest.NewRecorder()
	(&imds.Handler{World: c.server.world, Issuer: c.server.issuer, Compute: c.server.compute, Key: key}).ServeHTTP(rec, req)
	return rec
}

// machineToken is a token of a machine's identity, as the machine gets it.
func (c *clients) machineToken(name string) string {
	c.t.Helper()
	rec := c.askIMDS(name, "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F", metadata)
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   string `json:"expires_in"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &token); err != nil || rec.Code != 200 || token.ExpiresIn == "" {
		c.t.Fatalf("token: %d %s", rec.Code, rec.Body)
	}
	return token.AccessToken
}

var metadata = http.Header{"Metadata": {"true"}}

// TestSelfDeallocate gives a machine's identity the right to deallocate itself and nothing
// else, and sees that each thing else is refused.
func TestSelfDeallocate(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	vm := done(ctx, t, create, err)

	self := l.sdk(fixed(c.machineToken("vm")))
	_, err = self.vms.BeginDeallocate(ctx, "rg", "vm", nil)
	wantCode(t, err, 403, "AuthorizationFailed")

	scope, role, name := "/subscriptions/"+l.inst.Subscription, uuid.NewString(), uuid.NewString()
	definition := armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{RoleName: new("self"), RoleType: new("CustomRole"), AssignableScopes: []*string{&scope},
		Permissions: []*armauthorization.Permission{{Actions: []*string{new("Microsoft.Compute/virtualMachines/deallocate/action")}}}}}
	def := must[armauthorization.RoleDefinitionsClientCreateOrUpdateResponse](t)(c.definitions.CreateOrUpdate(ctx, scope, role, definition, nil))
	_, err = c.definitions.CreateOrUpdate(ctx, scope, uuid.NewString(), definition, nil)
	wantCode(t, err, 409, "RoleDefinitionWithSameNameExists")
	grant := armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		RoleDefinitionID: def.ID, PrincipalID: vm.Identity.PrincipalID, PrincipalType: new(armauthorization.PrincipalTypeServicePrincipal)}}
	must[armauthorization.RoleAssignmentsClientCreateResponse](t)(c.assignments.Create(ctx, *vm.ID, name, grant, nil))
	must[armauthorization.RoleAssignmentsClientCreateResponse](t)(c.assignments.Create(ctx, *vm.ID, name, grant, nil))
	_, err = c.assignments.Create(ctx, *vm.ID, uuid.NewString(), grant, nil)
	wantCode(t, err, 409, "RoleAssignmentExists")
	_, err = c.definitions.Delete(ctx, scope, role, nil)
	wantCode(t, err, 400, "RoleDefinitionHasAssignments")

	// The token from before the assignment works after it.
	if _, err = self.vms.BeginDeallocate(ctx, "rg", "vm", nil); err != nil {
		t.Fatal(err)
	}
	_, err = self.vms.BeginStart(ctx, "rg", "vm", nil)
	wantCode(t, err, 403, "AuthorizationFailed")
	_, err = self.vms.BeginDelete(ctx, "rg", "vm", nil)
	wantCode(t, err, 403, "AuthorizationFailed")
	_, err = self.groups.Get(ctx, "rg", nil)
	wantCode(t, err, 403, "AuthorizationFailed")
	p, err := c.vms.BeginDeallocate(ctx, "rg", "vm", nil)
	done(ctx, t, p, err)

	must[armauthorization.RoleAssignmentsClientDeleteResponse](t)(c.assignments.Delete(ctx, *vm.ID, name, nil))
	_, err = self.vms.BeginDeallocate(ctx, "rg", "vm", nil)
	wantCode(t, err, 403, "AuthorizationFailed")
	must[armauthorization.RoleDefinitionsClientDeleteResponse](t)(c.definitions.Delete(ctx, scope, role, nil))
}

// TestPartialLists shows a principal with rights on one group only that group's machines,
// or nothing, as the switch says.
func TestPartialLists(t *testing.T) {
	for answer, wantStatus := range map[string]int{"filtered": 200, "forbidden": 403} {
		t.Run(answer, func(t *testing.T) {
			l := startLocal(t, map[string]string{fabric.ListWithGroupRights: answer})
			c, ctx := l.sdk(l.credential()), within(t)
			c.prepare(ctx)
			create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
			vm := done(ctx, t, create, err)
			const reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
			scope := "/subscriptions/" + l.inst.Subscription
			must[armauthorization.RoleAssignmentsClientCreateResponse](t)(c.assignments.Create(ctx, scope+"/resourceGroups/rg", uuid.NewString(), armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
				RoleDefinitionID: new(scope + "/providers/Microsoft.Authorization/roleDefinitions/" + reader), PrincipalID: vm.Identity.PrincipalID}}, nil))
			self := l.sdk(fixed(c.machineToken("vm")))
			group := must[armcompute.VirtualMachinesClientListResponse](t)(self.vms.NewListPager("rg", nil).NextPage(ctx))
			if len(group.Value) != 1 {
				t.Fatalf("the group's list has %d machines", len(group.Value))
			}
			all, err := self.vms.NewListAllPager(nil).NextPage(ctx)
			if wantStatus == 403 {
				wantCode(t, err, 403, "AuthorizationFailed")
			} else if err != nil || len(all.Value) != 1 {
				t.Fatalf("%v, %d machines", err, len(all.Value))
			}
		})
	}
}

// TestMetadata checks what a guest reads about itself, and each refusal beside a request
// that is good.
func TestMetadata(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	spec := c.machine(map[string]*string{"k": new("v")})
	spec.Identity = nil
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", spec, nil)
	vm := done(ctx, t, create, err)

	const id = "/metadata/instance/compute/resourceId?api-version=2021-02-01&format=text"
	if rec := c.askIMDS("vm", id, metadata); rec.Code != 200 || rec.Body.String() != *vm.ID {
		t.Fatalf("resource id: %d %s", rec.Code, rec.Body)
	}
	rec := c.askIMDS("vm", "/metadata/instance?api-version=2021-02-01", metadata)
	var all struct {
		Compute struct {
			Name, VMSize, Tags, CustomData string
		}
		Network struct {
			Interface []struct {
				IPv4 struct {
					IPAddress []struct{ PrivateIPAddress, PublicIPAddress string }
				}
			}
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &all); err != nil || all.Compute.Name != "vm" || all.Compute.Tags != "k:v" || all.Compute.CustomData != "" ||
		all.Network.Interface[0].IPv4.IPAddress[0].PrivateIPAddress != "10.0.0.4" || all.Network.Interface[0].IPv4.IPAddress[0].PublicIPAddress != "" {
		t.Fatalf("instance: %v %s", err, rec.Body)
	}
	for name, c2 := range map[string]struct {
		path   string
		header http.Header
		status int
	}{
		"no header":     {id, http.Header{}, 400},
		"forwarded":     {id, http.Header{"Metadata": {"true"}, "X-Forwarded-For": {"1.2.3.4"}}, 400},
		"no version":    {"/metadata/instance", metadata, 400},
		"unknown path":  {"/metadata/nothing?api-version=2021-02-01", metadata, 404},
		"no identity":   {"/metadata/identity/oauth2/token?api-version=2018-02-01&resource=x", metadata, 400},
		"no events yet": {"/metadata/scheduledevents?api-version=2020-07-01", metadata, 200},
	} {
		if rec := c.askIMDS("vm", c2.path, c2.header); rec.Code != c2.status {
			t.Errorf("%s: %d %s, want %d", name, rec.Code, rec.Body, c2.status)
		}
	}
}
