//go:build previous

package contract

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

func patchTags(ctx context.Context, c *clients, scope string, how armresources.TagsPatchOperation, tags map[string]*string) map[string]*string {
	return strict[armresources.TagsClientUpdateAtScopeResponse](c.local)(c.resource.NewTagsClient().UpdateAtScope(ctx, scope,
		armresources.TagsPatchResource{Operation: &how, Properties: &armresources.Tags{Tags: tags}}, nil)).Properties.Tags
}

func putTags(ctx context.Context, c *clients, scope string, tags map[string]*string) map[string]*string {
	return strict[armresources.TagsClientCreateOrUpdateAtScopeResponse](c.local)(c.resource.NewTagsClient().CreateOrUpdateAtScope(ctx, scope,
		armresources.TagsResource{Properties: &armresources.Tags{Tags: tags}}, nil)).Properties.Tags
}

func dropTags(ctx context.Context, c *clients, scope string) error {
	_, err := c.resource.NewTagsClient().DeleteAtScope(ctx, scope, nil)
	return err
}

func build() []string { return []string{"build", "-modfile=previous.mod"} }
