//go:build previous

package contract

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

func merge(ctx context.Context, c *clients, scope string, tags map[string]*string) {
	strict[armresources.TagsClientUpdateAtScopeResponse](c.local)(c.resource.NewTagsClient().UpdateAtScope(ctx, scope,
		armresources.TagsPatchResource{Operation: new(armresources.TagsPatchOperationMerge), Properties: &armresources.Tags{Tags: tags}}, nil))
}

func build() []string { return []string{"build", "-modfile=previous.mod"} }
