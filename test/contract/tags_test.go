package contract

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

// TestTags writes tags at a subscription, a group and a resource, where the resource's own
// client and the subscription's list of names see them.
func TestTags(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	tags, addresses := c.resource.NewTagsClient(), c.network.NewPublicIPAddressesClient()
	c.prepare(ctx)
	done[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](ctx, l)(addresses.BeginCreateOrUpdate(ctx, "rg", "p",
		armnetwork.PublicIPAddress{Location: new("westus"), SKU: standard(), Tags: map[string]*string{"made": new("with")}, Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)}}, nil))
	address := *l.id("Microsoft.Network/publicIPAddresses/p")
	for _, scope := range []string{"/subscriptions/" + l.SubscriptionID, "/subscriptions/" + l.SubscriptionID + "/resourceGroups/rg", address} {
		same := func(step string, got map[string]*string, want map[string]string) {
			t.Helper()
			plain := map[string]string{}
			for k, v := range got {
				plain[k] = *v
			}
			if !maps.Equal(plain, want) {
				t.Errorf("%s after %s: %v, want %v", scope, step, plain, want)
			}
		}
		one := map[string]*string{"a": new("1"), "b": new("2")}
		same("PUT", putTags(ctx, c, scope, one), map[string]string{"a": "1", "b": "2"})
		same("merge", patchTags(ctx, c, scope, armresources.TagsPatchOperationMerge, map[string]*string{"b": new("3"), "c": new("4")}), map[string]string{"a": "1", "b": "3", "c": "4"})
		same("delete", patchTags(ctx, c, scope, armresources.TagsPatchOperationDelete, map[string]*string{"c": new("4")}), map[string]string{"a": "1", "b": "3"})
		same("replace", patchTags(ctx, c, scope, armresources.TagsPatchOperationReplace, map[string]*string{"z": new("9")}), map[string]string{"z": "9"})
		same("GET", strict[armresources.TagsClientGetAtScopeResponse](l)(tags.GetAtScope(ctx, scope, nil)).Properties.Tags, map[string]string{"z": "9"})
		if scope == address {
			same("GET of the resource", strict[armnetwork.PublicIPAddressesClientGetResponse](l)(addresses.Get(ctx, "rg", "p", nil)).Tags, map[string]string{"z": "9"})
		}
		if pages(ctx, l, tags.NewListPager(nil)); !strings.Contains(strings.ToLower(string(l.tap.last())), `"z"`) {
			t.Errorf("names of tags: %s", l.tap.last())
		}
		if err := dropTags(ctx, c, scope); err != nil {
			t.Fatal(err)
		}
		same("DELETE", strict[armresources.TagsClientGetAtScopeResponse](l)(tags.GetAtScope(ctx, scope, nil)).Properties.Tags, map[string]string{})
	}
	_, err := tags.GetAtScope(ctx, address+"none", nil)
	refused(t, err, http.StatusNotFound, "ResourceNotFound")
}
