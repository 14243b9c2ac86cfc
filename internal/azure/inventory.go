package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"golang.org/x/sync/errgroup"
)

// inventory is what a resource group holds, sorted by what cleanup may do with it.
type inventory struct {
	groupOurs bool
	blocking  []string // machines and disks of ours: agents, or their data
	foreign   []string // resources that somebody else has put there
	ours      []item   // what prepare made, and what a machine left behind
}

// item is one resource of ours.
type item struct{ kind, name string }

// Kinds of resources that mngr makes, by type in lower case. The generic list of a group
// may lag behind, so that machines and disks are asked for themselves.
const (
	typeVM   = "microsoft.compute/virtualmachines"
	typeDisk = "microsoft.compute/disks"
	typeNIC  = "microsoft.network/networkinterfaces"
	typeIP   = "microsoft.network/publicipaddresses"
	typeVNet = "microsoft.network/virtualnetworks"
	typeNSG  = "microsoft.network/networksecuritygroups"
)

var kindNames = map[string]string{
	typeVM: "machine", typeDisk: "disk", typeNIC: "network interface",
	typeIP: "public address", typeVNet: "network", typeNSG: "security group",
}

// removalOrder is the order in which Azure lets them go.
var removalOrder = []string{typeNIC, typeIP, typeVNet, typeNSG}

// take lists the group. found is false where there is no such group.
func (s *session) take(ctx context.Context, group string) (inv inventory, found bool, err error) {
	got, err := s.groups.Get(ctx, group, nil)
	if absent(err) {
		return inventory{}, false, nil
	}
	if err != nil {
		return inventory{}, false, err
	}
	inv.groupOurs = ours(got.Tags)
	var vms []*armcompute.VirtualMachine
	var disks []*armcompute.Disk
	var rest []*armresources.GenericResourceExpanded
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { vms, err = s.listVMs(ctx, group); return })
	g.Go(func() (err error) { disks, err = s.listDisks(ctx, group); return })
	g.Go(func() (err error) {
		rest, err = collect(ctx, s.resources.NewListByResourceGroupPager(group, nil),
			func(page armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
				return page.Value
			})
		return err
	})
	if err := g.Wait(); err != nil {
		return inventory{}, true, err
	}
	for _, vm := range vms {
		inv.add(typeVM, text(vm.Name), vm.Tags)
	}
	for _, d := range disks {
		inv.add(typeDisk, text(d.Name), d.Tags)
	}
	for _, r := range rest {
		kind := strings.ToLower(text(r.Type))
		if kind == typeVM || kind == typeDisk || strings.HasPrefix(kind, typeVM+"/") {
			continue
		}
		inv.add(kind, text(r.Name), r.Tags)
	}
	return inv, true, nil
}

func (inv *inventory) add(kind, name string, tags map[string]*string) {
	word := kindNames[kind]
	if word == "" {
		word = kind
	}
	switch {
	case !ours(tags) || kindNames[kind] == "":
		inv.foreign = append(inv.foreign, word+" "+name)
	case kind == typeVM || kind == typeDisk:
		inv.blocking = append(inv.blocking, word+" "+name)
	default:
		inv.ours = append(inv.ours, item{kind, name})
	}
}
