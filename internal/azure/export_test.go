package azure

import (
	"context"

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
