package azure

import (
	"context"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/sync/errgroup"

	"mngr/internal/agent"
)

// Leftovers returns the parts of hosts of ours that no machine uses: interfaces,
// addresses, disks and role assignments. A list that cannot be read is an error, and
// never taken for an empty one.
func (p *Provider) Leftovers(ctx context.Context) (found []agent.Leftover, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineList, "looking for what hosts left in resource group "+p.settings.ResourceGroup)
	defer done(&err)
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	c := census{now: time.Now(), role: s.roleID()}
	var roles []*armauthorization.RoleAssignment
	var unseen error
	g, gctx := errgroup.WithContext(ctx)
	group := p.settings.ResourceGroup
	g.Go(func() (err error) { c.nics, err = s.listNICs(gctx, group); return })
	g.Go(func() (err error) { c.ips, err = s.listIPs(gctx, group); return })
	g.Go(func() (err error) { c.disks, err = s.listDisks(gctx, group); return })
	g.Go(func() error { roles, unseen = s.listAssignments(gctx, group); return nil })
	if err := g.Wait(); err != nil {
		return nil, p.translate(err, "list what hosts left in resource group "+group)
	}
	// Last: what was made meanwhile then has its machine.
	if c.machines, err = s.listVMs(ctx, group); err != nil {
		return nil, p.translate(err, "list machines")
	}
	c.askPrices(ctx, p)
	out := c.parts()
	switch {
	case denied(unseen):
		return append(out, agent.Leftover{Kind: agent.LeftoverRole, Name: "any", Why: "role assignments of machines that are gone may be left",
			Kept: "the login may not list role assignments"}), nil
	case unseen != nil:
		return nil, p.translate(unseen, "list role assignments")
	}
	return append(out, c.assignments(roles, p.settings.ResourceGroup)...), nil
}

// listAssignments reads the assignments at, above and below a group.
func (s *session) listAssignments(ctx context.Context, group string) ([]*armauthorization.RoleAssignment, error) {
	return collect(ctx, s.assignments.NewListForResourceGroupPager(group, nil),
		func(page armauthorization.RoleAssignmentsClientListForResourceGroupResponse) []*armauthorization.RoleAssignment {
			return page.Value
		})
}

// census is what one look at a resource group has seen.
type census struct {
	now      time.Time
	role     string // id of our role
	machines []*armcompute.VirtualMachine
	nics     []*armnetwork.Interface
	ips      []*armnetwork.PublicIPAddress
	disks    []*armcompute.Disk
	prices   partPrices
}

// machine finds a machine by name; nil when there is none.
func (c *census) machine(name string) *armcompute.VirtualMachine {
	for _, vm := range c.machines {
		if strings.EqualFold(text(vm.Name), name) {
			return vm
		}
	}
	return nil
}

func (c *census) parts() []agent.Leftover {
	var out []agent.Leftover
	loose := map[string]bool{"": true}
	for _, n := range c.nics {
		if n.Properties != nil && n.Properties.VirtualMachine != nil {
			continue
		}
		if l, ours := c.part(agent.LeftoverInterface, text(n.Name), text(n.ID), "-nic", n.Tags, nil); ours {
			loose[strings.ToLower(text(n.ID))] = l.Kept == ""
			l.USDPerMonth = new(0.0)
			out = append(out, l)
		}
	}
	for _, ip := range c.ips {
		if !loose[nicOfIP(ip)] {
			continue
		}
		if l, ours := c.part(agent.LeftoverAddress, text(ip.Name), text(ip.ID), "-ip", ip.Tags, nil); ours {
			l.USDPerMonth = c.prices.address(ip.Location)
			out = append(out, l)
		}
	}
	for _, d := range c.disks {
		if text(d.ManagedBy) != "" || d.Properties == nil || !unattached(d.Properties.DiskState) {
			continue
		}
		if l, ours := c.part(agent.LeftoverDisk, text(d.Name), text(d.ID), "-os", d.Tags, d.Properties.TimeCreated); ours {
			if vm := c.machine(strings.TrimSuffix(strings.ToLower(l.Name), "-os")); vm != nil && l.Kept == "" {
				// Who repairs a machine swaps its disk, and the old one has the agents' work.
				l.Kept = "machine " + text(vm.Name) + " is still there, and agents' work may be on the disk: az disk delete --ids " + l.Resource
			}
			if one, ok := diskOf(d); ok {
				l.USDPerMonth = c.prices.disk(d.Location, one)
			}
			out = append(out, l)
		}
	}
	return out
}

// unattached tells a disk that no machine holds: that of a deallocated machine is Reserved.
func unattached(state *armcompute.DiskState) bool {
	return state == nil || *state == armcompute.DiskStateUnattached
}

// part judges a resource that nothing uses. Its name and its tags must both say that it
// was ours.
func (c *census) part(kind agent.LeftoverKind, name, id, suffix string, tags map[string]*string, made *time.Time) (agent.Leftover, bool) {
	machine, named := machineOfPart(name, suffix)
	if !named || !hosts(tags) {
		return agent.Leftover{}, false
	}
	l := agent.Leftover{Kind: kind, Name: name, Resource: id, Tags: plainTags(tags), Why: "its machine " + machine + " is gone"}
	if vm := c.machine(machine); vm != nil {
		l.Why = "its machine " + machine + " does not use it"
		if unsettled(vm) {
			l.Kept = "an operation on machine " + machine + " is under way"
		}
	}
	if l.Kept == "" && !together(machine, tags) {
		l.Kept = "its name and its tags are of different hosts"
	}
	l.Since, l.Kept = c.age(tags, made, l.Kept)
	return l, true
}

// together tells whether the name of a part and its tags speak of the same host: the name
// of our machines follows from that of their hosts, and the original's end with their ids.
func together(machine string, tags map[string]*string) bool {
	host, named := strings.CutPrefix(tag(tags, tagHostName), hostNamePrefix)
	id := strings.TrimPrefix(tag(tags, tagHostID), "host-")
	return !named || strings.EqualFold(vmName(host), machine) || strings.HasSuffix(machine, id)
}

// age tells when a part was made, and whether that is long enough ago.
func (c *census) age(tags map[string]*string, made *time.Time, kept string) (time.Time, string) {
	since := time.Time{}
	if t, err := time.Parse(time.RFC3339Nano, tag(tags, tagCreatedAt)); err == nil {
		since = t.UTC()
	}
	if made != nil {
		since = made.UTC()
	}
	switch left := agent.AgeLoose - c.now.Sub(since); {
	case kept != "":
	case since.IsZero():
		kept = "its age is not known"
	case left >= 0:
		kept = "it is too young: Azure may keep it for its machine for another " + (left + time.Second).Truncate(time.Second).String()
	}
	return since, kept
}

// hosts tells the tags of a host's resource: ours, or the original's.
func hosts(tags map[string]*string) bool {
	_, err := agent.ParseHostID(tag(tags, tagHostID))
	return err == nil && (ours(tags) || tag(tags, tagProvider) != "")
}

// machineOfPart reads the machine's name out of a part's: "<vm>-nic", or what Azure made
// of it for one that was made inline.
func machineOfPart(name, suffix string) (string, bool) {
	name = strings.ToLower(name)
	i := strings.LastIndex(name, suffix)
	if i < 0 {
		return "", false
	}
	rest := name[i+len(suffix):]
	if rest != "" && (rest[0] != '-' || suffix == "-os") {
		return "", false
	}
	return name[:i], strings.HasPrefix(name[:i], hostNamePrefix)
}

// unsettled tells whether an operation on a machine is under way.
func unsettled(vm *armcompute.VirtualMachine) bool {
	switch strings.ToLower(factsOf(vm, nil).provisioning) {
	case "succeeded", "failed", "canceled":
		return false
	}
	return true
}

// assignments returns those of our role on machines of the group that are gone, or that
// were made anew and have another identity now.
func (c *census) assignments(all []*armauthorization.RoleAssignment, group string) []agent.Leftover {
	var out []agent.Leftover
	for _, a := range all {
		if a.Properties == nil || !strings.EqualFold(text(a.Properties.RoleDefinitionID), c.role) {
			continue
		}
		on, err := arm.ParseResourceID(text(a.Properties.Scope))
		if err != nil || !strings.EqualFold(on.ResourceType.String(), typeVM) || !strings.EqualFold(on.ResourceGroupName, group) {
			continue
		}
		l := agent.Leftover{Kind: agent.LeftoverRole, Name: text(a.Name), Resource: text(a.ID), USDPerMonth: new(0.0),
			Why: "its machine " + on.Name + " is gone"}
		if vm := c.machine(on.Name); vm != nil {
			if vm.Identity == nil || text(vm.Identity.PrincipalID) == "" || strings.EqualFold(*vm.Identity.PrincipalID, text(a.Properties.PrincipalID)) {
				continue
			}
			l.Why = "machine " + on.Name + " has another identity by now"
		}
		l.Since, l.Kept = c.age(nil, a.Properties.CreatedOn, "")
		out = append(out, l)
	}
	return out
}

// RemoveLeftover deletes what Leftovers has found. Absent is fine; what is in use again
// Azure itself refuses to delete. A role assignment that the login may not remove is harmless.
func (p *Provider) RemoveLeftover(ctx context.Context, l agent.Leftover, progress agent.Progress) (err error) {
	ctx, done := agent.Within(agent.WithProgress(ctx, progress), agent.DeadlineOperation, "deleting "+strings.ReplaceAll(string(l.Kind), "_", " ")+" "+l.Name)
	defer done(&err)
	s, err := p.session(ctx)
	if err != nil {
		return err
	}
	kinds := map[agent.LeftoverKind]string{agent.LeftoverInterface: typeNIC, agent.LeftoverAddress: typeIP, agent.LeftoverDisk: typeDisk}
	err = stubbornly(ctx, p, agent.DeadlineAccept, progress, func(ctx context.Context) error {
		if l.Kind == agent.LeftoverRole {
			_, err := s.assignments.DeleteByID(ctx, l.Resource, nil)
			return err
		}
		return p.remove(ctx, s, p.settings.ResourceGroup, item{kinds[l.Kind], l.Name})
	})
	if err == nil || absent(err) {
		return nil
	}
	if l.Kind == agent.LeftoverRole && denied(err) {
		return &agent.Error{Kind: agent.KindDenied, Harmless: true, Err: err, Cause: "the login lacks " + permissionRevoke, Hint: RevokeCommand([]string{l.Resource})}
	}
	failed := p.translate(err, "delete "+strings.ReplaceAll(string(l.Kind), "_", " ")+" "+l.Name)
	if l.USDPerMonth == nil || *l.USDPerMonth > 0 {
		return &agent.Error{Kind: agent.KindRemains, Cause: failed.Error() + "; it is still billed", Hint: agent.HintOf(failed), Err: failed}
	}
	return failed
}
