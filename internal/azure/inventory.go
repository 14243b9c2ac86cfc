package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"golang.org/x/sync/errgroup"
)

// inventory is what a resource group holds, sorted by what cleanup may do with it.
type inventory struct {
	groupOurs bool
	vmIDs     map[string]bool // all machines, anybody's, in lower case
	machines  []heldMachine
	blocking  []string // disks that may hold an agent's data, and parts in use
	foreign   []string // resources that somebody else has put there
	left      []item   // what destroyed hosts left behind
	ours      []item   // what prepare made
}

// heldMachine is a machine of ours, with the host's name from its tag.
type heldMachine struct{ name, host string }

func (m heldMachine) String() string {
	if m.host == "" {
		return "machine " + m.name
	}
	return "host " + m.host + " (machine " + m.name + ")"
}

// item is one resource of ours.
type item struct{ kind, name string }

// Kinds of resources that mngr makes, by type in lower case. The generic list of a group
// may lag behind and knows of no attachment, so that a host's parts are asked for themselves.
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
var removalOrder = []string{typeDisk, typeNIC, typeIP, typeVNet, typeNSG}

// take lists the group. found is false where there is no such group.
func (s *session) take(ctx context.Context, group string) (inv inventory, found bool, err error) {
	got, err := s.groups.Get(ctx, group, nil)
	if absent(err) {
		return inventory{}, false, nil
	}
	if err != nil {
		return inventory{}, false, err
	}
	inv.groupOurs, inv.vmIDs = ours(got.Tags), map[string]bool{}
	var vms []*armcompute.VirtualMachine
	var disks []*armcompute.Disk
	var nics []*armnetwork.Interface
	var ips []*armnetwork.PublicIPAddress
	var rest []*armresources.GenericResourceExpanded
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { vms, err = s.listVMs(ctx, group); return })
	g.Go(func() (err error) { disks, err = s.listDisks(ctx, group); return })
	g.Go(func() (err error) { nics, err = s.listNICs(ctx, group); return })
	g.Go(func() (err error) { ips, err = s.listIPs(ctx, group); return })
	g.Go(func() (err error) { rest, err = s.listAll(ctx, group); return })
	if err := g.Wait(); err != nil {
		return inventory{}, true, err
	}
	for _, vm := range vms {
		inv.vmIDs[strings.ToLower(text(vm.ID))] = true
		inv.add(typeVM, text(vm.Name), vm.Tags, true)
	}
	for _, d := range disks {
		inv.add(typeDisk, text(d.Name), d.Tags, text(d.ManagedBy) != "" || tag(d.Tags, tagHostID) == "")
	}
	inv.addNetwork(nics, ips)
	for _, r := range rest {
		kind := strings.ToLower(text(r.Type))
		switch {
		case kind == typeVM, kind == typeDisk, kind == typeNIC, kind == typeIP, strings.HasPrefix(kind, typeVM+"/"):
		default:
			inv.add(kind, text(r.Name), r.Tags, false)
		}
	}
	return inv, true, nil
}

func (s *session) listAll(ctx context.Context, group string) ([]*armresources.GenericResourceExpanded, error) {
	return collect(ctx, s.resources.NewListByResourceGroupPager(group, nil),
		func(page armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
			return page.Value
		})
}

// addNetwork takes for a leftover what no machine uses: an interface on its own, and an
// address that is nobody's or belongs to such an interface.
func (inv *inventory) addNetwork(nics []*armnetwork.Interface, ips []*armnetwork.PublicIPAddress) {
	loose := map[string]bool{"": true}
	for _, n := range nics {
		used := n.Properties != nil && n.Properties.VirtualMachine != nil
		if ours(n.Tags) && !used {
			loose[strings.ToLower(text(n.ID))] = true
		}
		inv.add(typeNIC, text(n.Name), n.Tags, used)
	}
	for _, ip := range ips {
		inv.add(typeIP, text(ip.Name), ip.Tags, !loose[nicOfIP(ip)])
	}
}

// add sorts one resource. used tells whether something lives on it.
func (inv *inventory) add(kind, name string, tags map[string]*string, used bool) {
	word := kindNames[kind]
	if word == "" {
		word = kind
	}
	switch {
	case !ours(tags) || kindNames[kind] == "":
		inv.foreign = append(inv.foreign, word+" "+name)
	case kind == typeVM:
		inv.machines = append(inv.machines, heldMachine{name, strings.TrimPrefix(tag(tags, tagHostName), hostNamePrefix)})
	case used:
		inv.blocking = append(inv.blocking, word+" "+name)
	case kind == typeDisk || kind == typeNIC || kind == typeIP:
		inv.left = append(inv.left, item{kind, name})
	default:
		inv.ours = append(inv.ours, item{kind, name})
	}
}
