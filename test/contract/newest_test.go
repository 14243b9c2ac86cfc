//go:build !previous

package contract

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

// merge adds tags at a scope. The newest client waits for an operation, if Azure starts one.
func merge(ctx context.Context, c *clients, scope string, tags map[string]*string) {
	done[armresources.TagsClientUpdateAtScopeResponse](ctx, c.local)(c.resource.NewTagsClient().BeginUpdateAtScope(ctx, scope,
		armresources.TagsPatchResource{Operation: new(armresources.TagsPatchOperationMerge), Properties: &armresources.Tags{Tags: tags}}, nil))
}

// build is how the go command builds a program of this module.
func build() []string { return []string{"build"} }
