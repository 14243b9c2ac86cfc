package azure

import (
	"context"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// collect reads all pages of a list, and leaves out what is null there. A list in a group
// that does not exist is empty.
func collect[P, T any](ctx context.Context, pager *runtime.Pager[P], values func(P) []*T) ([]*T, error) {
	var all []*T
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if absent(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(values(page), func(v *T) bool { return v == nil })...)
	}
	return all, nil
}
