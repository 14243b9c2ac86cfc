package azure_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/azure/permission"
	"mngr/internal/fleet"
)

// TestDailyPermissions lives a host's life with the printed role for daily use, where Azure
// answers every open question in the way that asks for most, and without each of its actions.
func TestDailyPermissions(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	l.run("up", "--unknown", "list-with-group-rights=forbidden,inline-ip-sku=refused,inline-network-rights=refused,os-disk-rights=refused")
	for _, part := range []string{"Microsoft.Compute/disks", "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"} {
		l.run("fault", "add", "--on", part+"/delete", "--parts", "--status", "409", "--times", "0") // what Azure leaves behind
	}
	o := l.owner()
	exact(t, permission.Daily, o, 6, permission.Options{}, func(n int, without string) (*diary, person) {
		group := fmt.Sprintf("group-%d", n)
		o.prepare(group)
		who := o.hire(group, o.role(permission.Daily, group, without, permission.Options{}))
		d := &day{diary: &diary{}, t: t, o: o, group: group, person: o.as(who, group), owner: o.as(person{}, group)}
		d.create()
		d.read()
		d.write()
		d.destroy()
		d.gc()
		d.climb(who)
		return d.diary, who
	})
}

func (o owner) prepare(group string) {
	if _, err := o.as(person{}, group).Prepare(o.l.t.Context(), azure.PrepareOptions{}, nil); err != nil {
		o.l.t.Error(err)
	}
}

// day is what people do with hosts all day. What the person cannot do an owner does, so
// that the next thing can be tried.
type day struct {
	*diary
	t             *testing.T
	o             owner
	group         string
	person, owner machines

	host agent.Host
}

func (d *day) create() {
	ctx, m := d.t.Context(), spec("agent")
	err := d.person.Preflight(ctx, m)
	if err == nil {
		var c fleet.Creation
		if c, err = d.person.Create(ctx, m, nil); err == nil {
			_, noAddress := c.Address(ctx)
			d.note("create", noAddress)
			err = c.Wait(ctx)
			ok, why := c.SelfStop()
			d.note("create", nil, ok, " ", why)
			d.host = c.Host()
		}
	}
	if err == nil {
		err = d.person.MergeTags(ctx, d.host.Resource, map[string]string{"mngr-host-keys": "x"}, nil)
	}
	d.note("create", err)
	d.ensure()
}

// ensure has a host made by the owner where there is none.
func (d *day) ensure() {
	ctx := d.t.Context()
	hosts, err := d.owner.List(ctx)
	if err != nil {
		d.t.Error(err)
	}
	if len(hosts) == 1 {
		d.host = hosts[0]
		return
	}
	c, err := d.owner.Create(ctx, spec("agent"), nil)
	if err == nil {
		err = c.Wait(ctx)
	}
	if err != nil {
		d.t.Error(err)
		return
	}
	d.host = c.Host()
}

func (d *day) read() {
	hosts, err := d.person.List(d.t.Context())
	d.note("list", err, len(hosts))
	d.note("cost", err, len(hosts))
	for _, h := range hosts {
		d.note("cost", nil, h.Billing, " ", h.Size)
		d.note("list", nil, h.State, " ", h.Address, " ", h.Failure)
	}
}

func (d *day) write() {
	ctx := d.t.Context()
	d.note("label", d.edit(map[string]string{"mngr-agent-a-record": "{}"}))
	d.note("create", d.person.MergeTags(ctx, d.host.Resource, nil, []string{"mngr-agent-a-record"}))
	d.note("rename", d.edit(map[string]string{"mngr-host-name": "mngr-other"}))
	stopped := map[string]string{"mngr-stopped-by": "user"}
	d.note("stop", d.edit(stopped))
	d.note("stop", d.person.MergeTags(ctx, d.host.Resource, stopped, nil)) // where machines have no ETag
	d.note("stop", d.person.Stop(ctx, d.host.Resource, true, nil))
	if err := errors.Join(d.owner.MergeTags(ctx, d.host.Resource, stopped, nil), d.owner.Stop(ctx, d.host.Resource, true, nil)); err != nil {
		d.t.Error(err)
	}
	d.note("start", d.edit(nil, "mngr-stopped-by"))
	if err := d.owner.MergeTags(ctx, d.host.Resource, stopped, nil); err != nil {
		d.t.Error(err)
	}
	d.note("start", d.person.MergeTags(ctx, d.host.Resource, nil, []string{"mngr-stopped-by"})) // where machines have no ETag
	d.note("start", d.person.Start(ctx, d.host.Resource, true, nil))
	ok, why := d.person.LetStopItself(ctx, d.host.Resource)
	d.note("start", nil, ok, " ", why)
}

// edit writes tags that were worked out from what was read, once nothing changes the
// machine any more.
func (d *day) edit(set map[string]string, remove ...string) error {
	for {
		now, err := d.owner.Get(d.t.Context(), d.host.Resource)
		if err != nil {
			d.t.Error(err)
			return nil
		}
		err = d.person.EditTags(d.t.Context(), now, set, remove)
		if !errors.Is(err, agent.ErrChanged) {
			return err
		}
	}
}

func (d *day) destroy() {
	d.note("destroy", d.person.Destroy(d.t.Context(), d.host, nil))
	if err := d.owner.Destroy(d.t.Context(), d.host, nil); err != nil {
		d.t.Error(err)
	}
}

// gc finds and removes what somebody's machine has left behind.
func (d *day) gc() {
	ctx := d.t.Context()
	d.o.litter(d.group)
	d.o.litterAssignment(d.group)
	found, err := d.person.Leftovers(ctx)
	slices.SortFunc(found, func(a, b agent.Leftover) int { return slices.Compare([]byte(a.Kind), []byte(b.Kind)) })
	d.note("gc", err)
	d.note("cost", err)
	for _, l := range found {
		if l.Monthly != (agent.USD{}) {
			d.note("cost", nil, l.Kind, " ", l.Kept != "")
		}
		d.note("gc", nil, l.Kind, " ", l.Kept != "" && l.Resource == "")
	}
	if found, err = d.owner.Leftovers(ctx); err != nil || len(found) != 4 {
		d.t.Errorf("%v: %v", found, err)
	}
	for _, l := range found {
		d.note("gc", d.person.RemoveLeftover(ctx, l, nil), l.Kind)
	}
}

// climb tries to give the person all rights in the group, where he may give roles to
// machines.
func (d *day) climb(who person) {
	status, err := d.person.Send(d.t.Context(), "PUT", d.o.scope+"/resourceGroups/"+d.group+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString()+authorizationAPI,
		map[string]any{"properties": map[string]any{"principalId": who.ObjectID, "principalType": "ServicePrincipal",
			"roleDefinitionId": d.o.scope + "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"}})
	if err != nil || status != 403 {
		d.t.Errorf("somebody with the role makes himself owner: %d %v", status, err)
	}
}

// litter makes what a host named gone may leave behind in a group.
func (o owner) litter(group string) {
	at := o.scope + "/resourceGroups/" + group + "/providers/"
	tags := map[string]any{"managed-by": "mngr", "mngr-provider": "azure-local", "mngr-host-id": string(agent.NewHostID()), "mngr-created-at": "2026-11-22T00:00:00Z"}
	const network, vm = "?api-version=2024-05-01", "mngr-gone-aaaaaaaa"
	o.do("PUT", at+"Microsoft.Compute/disks/"+vm+"-os?api-version=2024-03-02", map[string]any{"location": "westus", "tags": tags,
		"sku": map[string]any{"name": "StandardSSD_LRS"}, "properties": map[string]any{"diskSizeGB": 30, "creationData": map[string]any{"createOption": "Empty"}}})
	o.do("PUT", at+"Microsoft.Network/publicIPAddresses/"+vm+"-ip"+network, map[string]any{"location": "westus", "tags": tags,
		"sku": map[string]any{"name": "Standard"}, "properties": map[string]any{"publicIPAllocationMethod": "Static"}})
	o.do("PUT", at+"Microsoft.Network/networkInterfaces/"+vm+"-nic"+network, map[string]any{"location": "westus", "tags": tags, "properties": map[string]any{
		"ipConfigurations": []any{map[string]any{"name": "a", "properties": map[string]any{"subnet": map[string]any{"id": at + "Microsoft.Network/virtualNetworks/mngr-vnet/subnets/mngr-subnet"}}}}}})
}

// litterAssignment gives the role to the identity of a machine that is gone.
func (o owner) litterAssignment(group string) {
	o.do("PUT", o.scope+"/resourceGroups/"+group+"/providers/Microsoft.Compute/virtualMachines/mngr-gone-aaaaaaaa/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString()+authorizationAPI,
		map[string]any{"properties": map[string]any{"principalId": uuid.NewString(), "principalType": "ServicePrincipal",
			"roleDefinitionId": o.scope + "/providers/Microsoft.Authorization/roleDefinitions/" + azure.SelfStopRole(o.subscription())}})
}
