package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

// ids goes through a list with size rows on a page, and returns what its rows are about.
func ids[T any](ctx context.Context, l *local, size int, p *runtime.Pager[T]) []string {
	l.t.Helper()
	var all []string
	for n := 1; p.More(); n++ {
		strict[T](l)(p.NextPage(ctx))
		var page struct {
			Value    []struct{ ID string }
			NextLink string
		}
		if err := json.Unmarshal(l.tap.last(), &page); err != nil {
			l.t.Fatal(err)
		}
		if p.More() != (page.NextLink != "") || p.More() && len(page.Value) != size || len(page.Value) > size {
			l.t.Errorf("page %d has %d rows, and its nextLink is %q", n, len(page.Value), page.NextLink)
		}
		if page.NextLink != "" && !strings.HasPrefix(page.NextLink, l.Endpoint+"/") {
			l.t.Errorf("nextLink leads to %s", page.NextLink)
		}
		for _, row := range page.Value {
			all = append(all, strings.ToLower(row.ID))
		}
	}
	return all
}

// TestPages lists more than fits on a page: each row comes once, on pages that are full but
// for the last.
func TestPages(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), within(t)
	c := l.clients()
	vms, groups := c.compute.NewVirtualMachinesClient(), c.resource.NewResourceGroupsClient()
	c.prepare(ctx)
	c.wire(ctx)
	const machines = 5
	var wg sync.WaitGroup
	for i := range machines {
		name := fmt.Sprint("m", i)
		must[armresources.ResourceGroupsClientCreateOrUpdateResponse](t)(groups.CreateOrUpdate(ctx, "rg"+name, armresources.ResourceGroup{Location: new("westus")}, nil))
		p, err := vms.BeginCreateOrUpdate(ctx, "rg", name, c.inline(name), nil)
		wg.Go(func() {
			if err := end(ctx, p, err); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	whole := map[string][]string{}
	for _, size := range []int{1000, 2} {
		l.run("azure", "local", "set", fmt.Sprint("page-size=", size))
		for _, list := range []struct {
			name string
			rows int
			ids  func() []string
		}{
			{"machines", machines, func() []string { return ids(ctx, l, size, vms.NewListPager("rg", nil)) }},
			{"all machines", machines, func() []string { return ids(ctx, l, size, vms.NewListAllPager(nil)) }},
			{"disks", machines, func() []string { return ids(ctx, l, size, c.compute.NewDisksClient().NewListPager(nil)) }},
			{"interfaces", machines + 1, func() []string { return ids(ctx, l, size, c.network.NewInterfacesClient().NewListPager("rg", nil)) }},
			{"addresses", machines + 1, func() []string { return ids(ctx, l, size, c.network.NewPublicIPAddressesClient().NewListAllPager(nil)) }},
			{"groups", machines + 1, func() []string { return ids(ctx, l, size, groups.NewListPager(nil)) }},
			{"resources", 4*machines + 4, func() []string {
				return ids(ctx, l, size, c.resource.NewClient().NewListByResourceGroupPager("rg", nil))
			}},
			{"resources of a type", machines, func() []string {
				return ids(ctx, l, size, c.resource.NewClient().NewListPager(&armresources.ClientListOptions{Filter: new("resourceType eq 'Microsoft.Compute/disks'")}))
			}},
		} {
			got := list.ids()
			slices.Sort(got)
			if len(slices.Compact(slices.Clone(got))) != list.rows || len(got) != list.rows {
				t.Errorf("%s, %d on a page: %d rows, want %d: %v", list.name, size, len(got), list.rows, got)
			}
			if before, ok := whole[list.name]; ok && !slices.Equal(before, got) {
				t.Errorf("%s: %v on one page and %v on many", list.name, before, got)
			}
			whole[list.name] = got
		}
	}
}
