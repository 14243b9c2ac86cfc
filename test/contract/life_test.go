package contract

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
)

// clients of one subscription.
type clients struct {
	*local
	cred     azcore.TokenCredential
	resource *armresources.ClientFactory
	network  *armnetwork.ClientFactory
	compute  *armcompute.ClientFactory
}

func (l *local) clients() *clients {
	cred := l.login(l.secret)
	return &clients{local: l, cred: cred,
		resource: must[*armresources.ClientFactory](l.t)(armresources.NewClientFactory(l.SubscriptionID, cred, l.options())),
		network:  must[*armnetwork.ClientFactory](l.t)(armnetwork.NewClientFactory(l.SubscriptionID, cred, l.options())),
		compute:  must[*armcompute.ClientFactory](l.t)(armcompute.NewClientFactory(l.SubscriptionID, cred, l.options()))}
}

// often is for answers without Retry-After, after which the SDK waits half a minute.
var often = &runtime.PollUntilDoneOptions{Frequency: time.Second}

// done polls an operation to its end and holds the result against its model.
func done[T any](ctx context.Context, l *local) func(*runtime.Poller[T], error) T {
	return func(p *runtime.Poller[T], err error) T {
		l.t.Helper()
		if err != nil {
			l.t.Fatal(err)
		}
		v, err := p.PollUntilDone(ctx, often)
		if err != nil {
			l.t.Fatal(err)
		}
		if reflect.TypeFor[T]().NumField() > 0 {
			l.same(v)
		}
		return v
	}
}

// pages are all of a list, each held against its model.
func pages[T any](ctx context.Context, l *local, p *runtime.Pager[T]) []T {
	l.t.Helper()
	var all []T
	for p.More() {
		all = append(all, strict[T](l)(p.NextPage(ctx)))
	}
	return all
}

// refused wants ARM's refusal.
func refused(t testing.TB, err error, status int, code string) {
	t.Helper()
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok || re.StatusCode != status || re.ErrorCode != code {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

func (c *clients) prepare(ctx context.Context) {
	c.t.Helper()
	// Registered first: the SDK would do it by itself, but asks only every 15 seconds.
	for _, ns := range []string{"Microsoft.Network", "Microsoft.Compute"} {
		strict[armresources.ProvidersClientRegisterResponse](c.local)(c.resource.NewProvidersClient().Register(ctx, ns, nil))
		for {
			got := strict[armresources.ProvidersClientGetResponse](c.local)(c.resource.NewProvidersClient().Get(ctx, ns, nil))
			if *got.RegistrationState == "Registered" {
				break
			}
		}
	}
	strict[armresources.ResourceGroupsClientCreateOrUpdateResponse](c.local)(c.resource.NewResourceGroupsClient().CreateOrUpdate(ctx, "rg",
		armresources.ResourceGroup{Location: new("westus")}, nil))
}

// TestSubscriptions asks what a client asks first.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	_, err := l.login("wrong").GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
	if err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("a wrong secret: %v", err)
	}
	c := l.clients()
	f := must[*armsubscriptions.ClientFactory](t)(armsubscriptions.NewClientFactory(c.cred, l.options()))
	list := pages(ctx, l, f.NewClient().NewListPager(nil))
	if len(list) != 1 || *list[0].Value[0].SubscriptionID != l.SubscriptionID || *list[0].Value[0].TenantID != l.TenantID {
		t.Errorf("subscriptions: %s", l.tap.last())
	}
	one := strict[armsubscriptions.ClientGetResponse](l)(f.NewClient().Get(ctx, l.SubscriptionID, nil))
	if *one.State != armsubscriptions.SubscriptionStateEnabled {
		t.Errorf("state %s", *one.State)
	}
	if pages(ctx, l, f.NewClient().NewListLocationsPager(l.SubscriptionID, nil)); !strings.Contains(string(l.tap.last()), `"westus"`) {
		t.Errorf("locations: %s", l.tap.last())
	}
	if got := pages(ctx, l, f.NewTenantsClient().NewListPager(nil)); *got[0].Value[0].TenantID != l.TenantID {
		t.Errorf("tenants: %s", l.tap.last())
	}
	_, err = f.NewClient().Get(ctx, "00000000-0000-4000-8000-000000000000", nil)
	refused(t, err, http.StatusNotFound, "SubscriptionNotFound")
}

// TestGroups also goes through tags, providers and generic resources.
func TestGroups(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	groups, tags := c.resource.NewResourceGroupsClient(), c.resource.NewTagsClient()
	_, err := groups.Get(ctx, "rg", nil)
	refused(t, err, http.StatusNotFound, "ResourceGroupNotFound")
	c.prepare(ctx)
	_, err = groups.CreateOrUpdate(ctx, "rg", armresources.ResourceGroup{Location: new("eastus")}, nil)
	refused(t, err, http.StatusConflict, "InvalidResourceGroupLocation")
	strict[armresources.ResourceGroupsClientGetResponse](l)(groups.Get(ctx, "RG", nil))
	if got := must[armresources.ResourceGroupsClientCheckExistenceResponse](t)(groups.CheckExistence(ctx, "rg", nil)); !got.Success {
		t.Error("the group is there and HEAD does not say so")
	}
	strict[armresources.ResourceGroupsClientUpdateResponse](l)(groups.Update(ctx, "rg", armresources.ResourceGroupPatchable{Tags: map[string]*string{"a": new("b")}}, nil))
	if got := pages(ctx, l, groups.NewListPager(&armresources.ResourceGroupsClientListOptions{Filter: new("tagName eq 'a' and tagValue eq 'b'")})); len(got[0].Value) != 1 {
		t.Errorf("groups with the tag: %s", l.tap.last())
	}
	scope := "subscriptions/" + l.SubscriptionID + "/resourceGroups/rg"
	patchTags(ctx, c, scope, armresources.TagsPatchOperationMerge, map[string]*string{"c": new("d")})
	if got := strict[armresources.TagsClientGetAtScopeResponse](l)(tags.GetAtScope(ctx, scope, nil)); len(got.Properties.Tags) != 2 {
		t.Errorf("tags: %s", l.tap.last())
	}
	pages(ctx, l, c.resource.NewProvidersClient().NewListPager(nil))

	address := done[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](ctx, l)(c.network.NewPublicIPAddressesClient().BeginCreateOrUpdate(ctx, "rg", "p",
		armnetwork.PublicIPAddress{Location: new("westus"), SKU: standard(), Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)}}, nil))
	if got := pages(ctx, l, c.resource.NewClient().NewListPager(&armresources.ClientListOptions{Filter: new("resourceType eq 'Microsoft.Network/publicIPAddresses'")})); len(got) != 1 || len(got[0].Value) != 1 {
		t.Errorf("resources: %s", l.tap.last())
	}
	if got := pages(ctx, l, c.resource.NewClient().NewListByResourceGroupPager("rg", nil)); len(got[0].Value) != 1 || *got[0].Value[0].Name != "p" {
		t.Errorf("resources of the group: %s", l.tap.last())
	}
	generic := must[armresources.ClientGetByIDResponse](t)(c.resource.NewClient().GetByID(ctx, *address.ID, "2025-05-01", nil))
	if *generic.Name != "p" || *generic.Type != "Microsoft.Network/publicIPAddresses" {
		t.Errorf("resource by id: %s", l.tap.last())
	}
	done[armresources.ResourceGroupsClientDeleteResponse](ctx, l)(groups.BeginDelete(ctx, "rg", nil))
	if got := must[armresources.ResourceGroupsClientCheckExistenceResponse](t)(groups.CheckExistence(ctx, "rg", nil)); got.Success {
		t.Error("the group is deleted and HEAD finds it")
	}
}

func standard() *armnetwork.PublicIPAddressSKU {
	return &armnetwork.PublicIPAddressSKU{Name: new(armnetwork.PublicIPAddressSKUNameStandard)}
}
