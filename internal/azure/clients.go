package azure

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

// session is one login to one subscription and the clients that share it.
type session struct {
	place        *place
	subscription string
	token        *tokenSource

	machines *armcompute.VirtualMachinesClient
	skus     *armcompute.ResourceSKUsClient
	disks    *armcompute.DisksClient

	nics    *armnetwork.InterfacesClient
	ips     *armnetwork.PublicIPAddressesClient
	vnets   *armnetwork.VirtualNetworksClient
	subnets *armnetwork.SubnetsClient
	nsgs    *armnetwork.SecurityGroupsClient
	rules   *armnetwork.SecurityRulesClient

	groups    *armresources.ResourceGroupsClient
	providers *armresources.ProvidersClient
	resources *armresources.Client
	tags      *armresources.TagsClient

	plain *arm.Client // for what has no client of its own

	roles       *armauthorization.RoleDefinitionsClient
	assignments *armauthorization.RoleAssignmentsClient
}

func newSession(at *place, subscription string, token *tokenSource, retry policy.RetryOptions, log *audit) (*session, error) {
	s := &session{place: at, subscription: subscription, token: token}
	opts := &arm.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud:     at.cloud,
			Retry:     retry,
			Telemetry: policy.TelemetryOptions{ApplicationID: "mngr"},
			Transport: &contact{client: at.client},

			PerCallPolicies:  []policy.Policy{reauthorize{token}},
			PerRetryPolicies: []policy.Policy{shownWait{}},
		},
		DisableRPRegistration: true, // prepare does that; a limited user must not
	}
	if log != nil {
		opts.PerCallPolicies = append([]policy.Policy{countAttempts{}}, opts.PerCallPolicies...)
		opts.PerRetryPolicies = append(opts.PerRetryPolicies, log)
	}
	compute, err := armcompute.NewClientFactory(subscription, s.token, opts)
	if err != nil {
		return nil, fmt.Errorf("make Azure clients: %w", err)
	}
	network, err := armnetwork.NewClientFactory(subscription, s.token, opts)
	if err != nil {
		return nil, fmt.Errorf("make Azure clients: %w", err)
	}
	resources, err := armresources.NewClientFactory(subscription, s.token, opts)
	if err != nil {
		return nil, fmt.Errorf("make Azure clients: %w", err)
	}
	authorization, err := armauthorization.NewClientFactory(subscription, s.token, opts)
	if err != nil {
		return nil, fmt.Errorf("make Azure clients: %w", err)
	}
	if s.plain, err = arm.NewClient("mngr", "v1.0.0", s.token, opts); err != nil {
		return nil, fmt.Errorf("make Azure clients: %w", err)
	}
	s.machines = compute.NewVirtualMachinesClient()
	s.skus = compute.NewResourceSKUsClient()
	s.disks = compute.NewDisksClient()
	s.nics = network.NewInterfacesClient()
	s.ips = network.NewPublicIPAddressesClient()
	s.vnets = network.NewVirtualNetworksClient()
	s.subnets = network.NewSubnetsClient()
	s.nsgs = network.NewSecurityGroupsClient()
	s.rules = network.NewSecurityRulesClient()
	s.groups = resources.NewResourceGroupsClient()
	s.providers = resources.NewProvidersClient()
	s.resources = resources.NewClient()
	s.tags = resources.NewTagsClient()
	s.roles = authorization.NewRoleDefinitionsClient()
	s.assignments = authorization.NewRoleAssignmentsClient()
	return s, nil
}

// scope is the subscription's resource id.
func (s *session) scope() string { return "/subscriptions/" + s.subscription }

func (s *session) vmID(group, name string) string {
	return s.scope() + "/resourceGroups/" + group + "/providers/Microsoft.Compute/virtualMachines/" + name
}

func (s *session) networkID(group, kind, name string) string {
	return s.scope() + "/resourceGroups/" + group + "/providers/Microsoft.Network/" + kind + "/" + name
}

func trimSlash(s string) string { return strings.TrimRight(s, "/") }
