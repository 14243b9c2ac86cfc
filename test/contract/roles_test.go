package contract

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// TestRoles makes a role and assigns it to the identity of a machine.
func TestRoles(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	c.prepare(ctx)
	c.wire(ctx)
	made := done[armcompute.VirtualMachinesClientCreateOrUpdateResponse](ctx, l)(c.compute.NewVirtualMachinesClient().BeginCreateOrUpdate(ctx, "rg", "m", l.machine(), nil))
	f := must[*armauthorization.ClientFactory](t)(armauthorization.NewClientFactory(l.SubscriptionID, c.cred, l.options()))
	definitions, assignments := f.NewRoleDefinitionsClient(), f.NewRoleAssignmentsClient()
	sub := "/subscriptions/" + l.SubscriptionID
	const role, name = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"

	definition := armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{RoleName: new("contract"), Description: new("x"), RoleType: new("CustomRole"),
		Permissions: []*armauthorization.Permission{{Actions: []*string{new("Microsoft.Compute/virtualMachines/deallocate/action")}}}, AssignableScopes: []*string{new(sub)}}}
	put := strict[armauthorization.RoleDefinitionsClientCreateOrUpdateResponse](l)(definitions.CreateOrUpdate(ctx, sub, role, definition, nil))
	strict[armauthorization.RoleDefinitionsClientGetResponse](l)(definitions.Get(ctx, sub, role, nil))
	strict[armauthorization.RoleDefinitionsClientGetByIDResponse](l)(definitions.GetByID(ctx, *put.ID, nil))
	if got := pages(ctx, l, definitions.NewListPager(sub, &armauthorization.RoleDefinitionsClientListOptions{Filter: new("roleName eq 'contract'")})); len(got[0].Value) != 1 {
		t.Errorf("roles of that name: %s", l.tap.last())
	}
	_, err := definitions.CreateOrUpdate(ctx, sub, "11111111-0000-4000-8000-000000000003", definition, nil)
	refused(t, err, http.StatusConflict, "RoleDefinitionWithSameNameExists")

	assign := func(principal string) armauthorization.RoleAssignmentCreateParameters {
		return armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{RoleDefinitionID: put.ID, PrincipalID: &principal, PrincipalType: new(armauthorization.PrincipalTypeServicePrincipal)}}
	}
	got := strict[armauthorization.RoleAssignmentsClientCreateResponse](l)(assignments.Create(ctx, *made.ID, name, assign(*made.Identity.PrincipalID), nil))
	if *got.Properties.Scope != *made.ID || *got.Properties.PrincipalID != *made.Identity.PrincipalID {
		t.Errorf("assignment: %s", l.tap.last())
	}
	_, err = assignments.Create(ctx, *made.ID, "11111111-0000-4000-8000-000000000004", assign(*made.Identity.PrincipalID), nil)
	refused(t, err, http.StatusConflict, "RoleAssignmentExists")
	// A principal whose type is given is not looked for: it may be too new to be found.
	stranger := assign("11111111-0000-4000-8000-000000000006")
	stranger.Properties.PrincipalType = nil
	_, err = assignments.Create(ctx, *made.ID, "11111111-0000-4000-8000-000000000005", stranger, nil)
	refused(t, err, http.StatusBadRequest, "PrincipalNotFound")
	strict[armauthorization.RoleAssignmentsClientGetResponse](l)(assignments.Get(ctx, *made.ID, name, nil))
	// This client sends a filter as it is given.
	filter := url.PathEscape("principalId eq '" + *made.Identity.PrincipalID + "'")
	if of := pages(ctx, l, assignments.NewListForScopePager(*made.ID, &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: &filter})); len(of[0].Value) != 1 {
		t.Errorf("assignments of the machine: %s", l.tap.last())
	}
	pages(ctx, l, assignments.NewListForSubscriptionPager(nil))
	pages(ctx, l, assignments.NewListForResourceGroupPager("rg", nil))
	_, err = definitions.Delete(ctx, sub, role, nil)
	refused(t, err, http.StatusBadRequest, "RoleDefinitionHasAssignments")
	strict[armauthorization.RoleAssignmentsClientDeleteResponse](l)(assignments.Delete(ctx, *made.ID, name, nil))
	strict[armauthorization.RoleAssignmentsClientDeleteResponse](l)(assignments.Delete(ctx, *made.ID, name, nil)) // 204
	strict[armauthorization.RoleDefinitionsClientDeleteResponse](l)(definitions.Delete(ctx, sub, role, nil))
}
