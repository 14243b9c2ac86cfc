//go:build !previous

package contract

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

// Tags at a scope: the newest client waits for an operation, if Azure starts one.

func patchTags(ctx context.Context, c *clients, scope string, how armresources.TagsPatchOperation, tags map[string]*string) map[string]*string {
	return done[armresources.TagsClientUpdateAtScopeResponse](ctx, c.local)(c.resource.NewTagsClient().BeginUpdateAtScope(ctx, scope,
		armresources.TagsPatchResource{Operation: &how, Properties: &armresources.Tags{Tags: tags}}, nil)).Properties.Tags
}

func putTags(ctx context.Context, c *clients, scope string, tags map[string]*string) map[string]*string {
	return done[armresources.TagsClientCreateOrUpdateAtScopeResponse](ctx, c.local)(c.resource.NewTagsClient().BeginCreateOrUpdateAtScope(ctx, scope,
		armresources.TagsResource{Properties: &armresources.Tags{Tags: tags}}, nil)).Properties.Tags
}

func dropTags(ctx context.Context, c *clients, scope string) error {
	p, err := c.resource.NewTagsClient().BeginDeleteAtScope(ctx, scope, nil)
	return end(ctx, p, err)
}

// build is how the go command builds a program of this module.
func build() []string { return []string{"build"} }
