package azure

import (
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/sync/errgroup"

	"mngr/internal/agent"
)

// parts tell which interfaces, addresses and disks belong to a machine. Azure removes
// them with it, but later, and gives up silently when that fails.
type parts struct {
	vm     string // name
	vmID   string // in lower case
	host   agent.HostID
	nics   []string // ids in lower case, seen on the machine before it went
	ips    []string // names of the addresses seen on those interfaces, in lower case
	osDisk string   // name of the disk seen on the machine
}

func partsOf(vm, vmID string, host agent.HostID) parts {
	return parts{vm: strings.ToLower(vm), vmID: strings.ToLower(vmID), host: host, osDisk: diskName(strings.ToLower(vm))}
}

// see adds what only the machine itself knows.
func (w *parts) see(vm *armcompute.VirtualMachine) {
	for _, id := range nicIDs(vm) {
		w.nics = append(w.nics, strings.ToLower(id))
	}
	if vm.Properties != nil && vm.Properties.StorageProfile != nil && vm.Properties.StorageProfile.OSDisk != nil {
		if name := text(vm.Properties.StorageProfile.OSDisk.Name); name != "" {
			w.osDisk = strings.ToLower(name)
		}
	}
}

func (w *parts) tagged(tags map[string]*string) bool {
	return w.host != "" && tag(tags, tagHostID) == string(w.host)
}

// anothers tells a part of another host, whose machine may have the same name by now.
func (w *parts) anothers(tags map[string]*string) bool {
	id := hostID(tags)
	return w.host != "" && id != "" && id != w.host
}

// named matches a name of ours and what Azure may append to it; the machine's name
// carries a hash, so that no other machine's parts match.
func named(name, want string) bool {
	name = strings.ToLower(name)
	return name == want || strings.HasPrefix(name, want+"-")
}

func (w *parts) hasNIC(n *armnetwork.Interface) bool {
	id := strings.ToLower(text(n.ID))
	if w.anothers(n.Tags) {
		return false
	}
	if n.Properties != nil && n.Properties.VirtualMachine != nil {
		return strings.EqualFold(text(n.Properties.VirtualMachine.ID), w.vmID)
	}
	return w.tagged(n.Tags) || slices.Contains(w.nics, id) || named(text(n.Name), nicName(w.vm))
}

func (w *parts) hasIP(ip *armnetwork.PublicIPAddress) bool {
	if w.anothers(ip.Tags) {
		return false
	}
	if nic := nicOfIP(ip); nic != "" {
		return slices.Contains(w.nics, nic)
	}
	return w.tagged(ip.Tags) || slices.Contains(w.ips, strings.ToLower(text(ip.Name))) || named(text(ip.Name), ipName(w.vm))
}

func (w *parts) hasDisk(d *armcompute.Disk) bool {
	if w.anothers(d.Tags) || text(d.ManagedBy) != "" && !strings.EqualFold(text(d.ManagedBy), w.vmID) {
		return false
	}
	return strings.EqualFold(text(d.Name), w.osDisk) || w.tagged(d.Tags)
}

// remains are the parts of a machine that still exist, by name.
type remains struct {
	nics, ips, disks []string
}

func (r remains) none() bool { return len(r.nics)+len(r.ips)+len(r.disks) == 0 }

func (r remains) String() string {
	var all []string
	for _, kind := range []struct {
		word  string
		names []string
	}{{"network interface ", r.nics}, {"public address ", r.ips}, {"disk ", r.disks}} {
		for _, n := range kind.names {
			all = append(all, kind.word+n)
		}
	}
	return strings.Join(all, ", ")
}

// commands remove the parts, in the order that Azure allows.
func (r remains) commands(at rest) string {
	var all []string
	for _, kind := range []struct {
		verb  string
		names []string
		flags string
	}{{"network nic", r.nics, ""}, {"network public-ip", r.ips, ""}, {"disk", r.disks, " --yes"}} {
		for _, n := range kind.names {
			all = append(all, "az "+kind.verb+" delete --subscription "+at.subscription+" -g "+at.group+" -n "+n+kind.flags)
		}
	}
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return agent.Explain(all[0], "then: "+strings.Join(all[1:], "; "))
}

// find lists what is left of a machine. It also learns the interfaces' ids and the
// addresses attached to them, which need carry no tag nor a name of ours.
func (s *session) find(ctx context.Context, group string, w *parts) (remains, error) {
	var nics []*armnetwork.Interface
	var ips []*armnetwork.PublicIPAddress
	var disks []*armcompute.Disk
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { nics, err = s.listNICs(ctx, group); return })
	g.Go(func() (err error) { ips, err = s.listIPs(ctx, group); return })
	g.Go(func() (err error) { disks, err = s.listDisks(ctx, group); return })
	if err := g.Wait(); err != nil {
		return remains{}, err
	}
	var left remains
	for _, n := range nics {
		if w.hasNIC(n) {
			left.nics = append(left.nics, text(n.Name))
			if id := strings.ToLower(text(n.ID)); !slices.Contains(w.nics, id) {
				w.nics = append(w.nics, id)
			}
		}
	}
	for _, ip := range ips {
		if w.hasIP(ip) {
			left.ips = append(left.ips, text(ip.Name))
			w.ips = append(w.ips, strings.ToLower(text(ip.Name)))
		}
	}
	for _, d := range disks {
		if w.hasDisk(d) {
			left.disks = append(left.disks, text(d.Name))
		}
	}
	return left, nil
}

func (s *session) listNICs(ctx context.Context, group string) ([]*armnetwork.Interface, error) {
	return collect(ctx, s.nics.NewListPager(group, nil),
		func(page armnetwork.InterfacesClientListResponse) []*armnetwork.Interface { return page.Value })
}

func (s *session) listDisks(ctx context.Context, group string) ([]*armcompute.Disk, error) {
	return collect(ctx, s.disks.NewListByResourceGroupPager(group, nil),
		func(page armcompute.DisksClientListByResourceGroupResponse) []*armcompute.Disk { return page.Value })
}
