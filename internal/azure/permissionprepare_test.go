package azure_test

import (
	"fmt"
	"path"
	"testing"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/azure/permission"
)

// TestPreparePermissions prepares a new subscription, a second region, and what is missing
// in a network, with the printed role, and without each of its actions.
func TestPreparePermissions(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	o := l.owner()
	exact(t, permission.Prepare, o, 1, permission.Options{}, func(n int, without string) (*diary, person) {
		group := fmt.Sprintf("group-%d", n)
		o.forgetRole()
		l.run("set", "registered=false")
		who := o.hire(group, o.role(permission.Prepare, group, without, permission.Options{}))
		d := &diary{}
		d.prepare(t, o, o.as(who, group), group)
		return d, who
	})
}

// prepare goes through all that prepare does. Where it fails the owner does it.
func (d *diary) prepare(t *testing.T, o owner, p machines, group string) {
	for _, todo := range []azure.PrepareOptions{{}, {AllowedSSHCIDRs: []string{"203.0.113.4/32"}}, {AllowedSSHCIDRs: []string{}}, {Region: "eastus"}} {
		got, err := p.Prepare(t.Context(), todo, nil)
		d.note(permission.Prepare, err, got.Warnings)
		if _, err := o.as(person{}, group).Prepare(t.Context(), todo, nil); err != nil {
			t.Error(err)
		}
	}
	o.remove("/resourceGroups/" + group + "/providers/Microsoft.Network/virtualNetworks/mngr-vnet/subnets/mngr-subnet?api-version=2024-05-01")
	got, err := p.Prepare(t.Context(), azure.PrepareOptions{}, nil)
	d.note(permission.Prepare, err, got.Warnings)
}

// remove deletes something and waits until it is gone.
func (o owner) remove(path string) {
	o.do("DELETE", o.scope+path, nil)
	for {
		if status, err := o.Send(o.l.t.Context(), "GET", o.scope+path, nil); status == 404 || err != nil {
			return
		}
	}
}

// forgetRole deletes the role of idle machines, and what uses it.
func (o owner) forgetRole() {
	o.do("DELETE", o.scope+"/providers/Microsoft.Authorization/roleDefinitions/"+azure.SelfStopRole(o.subscription())+authorizationAPI, nil)
}

// defineRole makes the role of idle machines.
func (o owner) defineRole() {
	o.do("PUT", o.scope+"/providers/Microsoft.Authorization/roleDefinitions/"+azure.SelfStopRole(o.subscription())+authorizationAPI, map[string]any{"properties": map[string]any{
		"roleName": "mngr-self-deallocate", "type": "CustomRole", "assignableScopes": []string{o.scope},
		"permissions": []any{map[string]any{"actions": []string{"Microsoft.Compute/virtualMachines/deallocate/action"}}}}})
}

// TestCleanupPermissions cleans up what mngr and what somebody else has made, each with what
// destroyed hosts have left, with the printed roles, and without each of their actions.
func TestCleanupPermissions(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	o := l.owner()
	t.Run("own group", func(t *testing.T) {
		exact(t, permission.Cleanup, o, 1, permission.Options{}, func(n int, without string) (*diary, person) {
			group := fmt.Sprintf("group-%d", n)
			o.prepare(group)
			o.litter(group)
			who := o.hire(group, o.role(permission.Cleanup, group, without, permission.Options{}))
			d := &diary{}
			d.cleanup(t, o.as(who, group), o.as(person{}, group))
			o.defineRole() // once more, with a machine's assignment that has outlived its group
			o.do("PUT", o.scope+"/resourceGroups/"+group+"?api-version=2024-03-01", map[string]any{"location": "westus"})
			o.litterAssignment(group)
			d.cleanup(t, o.as(who, group), o.as(person{}, group))
			return d, who
		})
	})
	t.Run("existing group", func(t *testing.T) {
		options := permission.Options{UseExistingGroup: true}
		exact(t, permission.Cleanup, o, 6, options, func(n int, without string) (*diary, person) {
			group := fmt.Sprintf("group-existing-%d", n)
			o.do("PUT", o.scope+"/resourceGroups/"+group+"?api-version=2024-03-01", map[string]any{"location": "westus"})
			if _, err := o.as(person{}, group).Prepare(t.Context(), azure.PrepareOptions{UseExistingGroup: true}, nil); err != nil {
				t.Error(err)
			}
			o.litter(group)
			who := o.hire(group, o.role(permission.Cleanup, group, without, options))
			d := &diary{}
			d.cleanup(t, o.as(who, group), o.as(person{}, group))
			return d, who
		})
	})
}

func (d *diary) cleanup(t *testing.T, p, owner machines) {
	got, err := p.Cleanup(t.Context(), false, nil)
	d.note(permission.Cleanup, err, got.Actions, got.Notes, got.Warnings)
	if _, err := owner.Cleanup(t.Context(), false, nil); err != nil {
		t.Error(err)
	}
}

// TestLookupPermissions sees what the rights to read the subscription add to daily use.
func TestLookupPermissions(t *testing.T) {
	t.Parallel()
	l := startLocal(t)
	l.run("up", "--unknown", "list-with-group-rights=forbidden")
	o := l.owner()
	exact(t, permission.Lookups, o, 6, permission.Options{}, func(n int, without string) (*diary, person) {
		group := fmt.Sprintf("group-%d", n)
		o.prepare(group)
		who := o.hire(group, o.role(permission.Daily, group, "", permission.Options{}), o.role(permission.Lookups, group, without, permission.Options{}))
		p, d := o.as(who, group), &diary{}
		m := spec(fmt.Sprintf("evicted-%d", n))
		m.Size = "Standard_None"
		d.note("create", p.Preflight(t.Context(), m))
		m.Spot, m.Size = true, "Standard_D2s_v5"
		c, err := p.Create(t.Context(), m, nil)
		if err == nil {
			err = c.Wait(t.Context())
		}
		if err != nil {
			t.Error(err)
			return d, who
		}
		l.run("evict", path.Base(c.Host().Resource))
		for list(t, o.as(person{}, group))[0].State != agent.HostEvicted {
			if t.Context().Err() != nil {
				t.Error("not evicted")
				return d, who
			}
		}
		before := len(l.asked(who, "Microsoft.Compute/virtualMachines/instanceView/read"))
		for _, h := range list(t, p) {
			for _, command := range []string{"list", "cost"} {
				d.note(command, nil, h.State, " ", h.Address != "", " ", h.Failure)
			}
		}
		for _, command := range []string{"list", "cost"} { // both read the same
			d.note(command, nil, len(l.asked(who, "Microsoft.Compute/virtualMachines/instanceView/read"))-before)
		}
		return d, who
	})
}
