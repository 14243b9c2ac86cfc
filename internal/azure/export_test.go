package azure

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
)

// Rights hands the tests of the outside what gives and takes rights, and the
// subscription's scope.
func (p *Provider) Rights(ctx context.Context) (*armauthorization.RoleDefinitionsClient, *armauthorization.RoleAssignmentsClient, string, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	return s.roles, s.assignments, s.scope(), nil
}

// Foreign hands the tests of the outside what makes the resources of somebody else.
func (p *Provider) Foreign(ctx context.Context) (*armresources.ResourceGroupsClient, *armnetwork.PublicIPAddressesClient, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, nil, err
	}
	return s.groups, s.ips, nil
}

// Send asks ARM for anything as the provider's login does, and returns the status.
func (p *Provider) Send(ctx context.Context, method, path string, body any) (int, error) {
	s, err := p.session(ctx)
	if err != nil {
		return 0, err
	}
	req, err := runtime.NewRequest(ctx, method, s.plain.Endpoint()+path)
	if err != nil {
		return 0, err
	}
	if body != nil {
		if err := runtime.MarshalAsJSON(req, body); err != nil {
			return 0, err
		}
	}
	resp, err := s.plain.Pipeline().Do(req)
	if err != nil {
		return 0, err
	}
	runtime.Drain(resp)
	return resp.StatusCode, nil
}
