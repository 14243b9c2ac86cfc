package compute

import (
	"context"
	"errors"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/network"
	"mngr/internal/azlocal/rbac"
)

// createJob makes what a PUT described: inline interfaces, the OS disk, the machine.
func (p *Provider) createJob() fabric.Job {
	return fabric.Job{
		Takes: fabric.VMCreate,
		// A create that fails, for want of capacity say, leaves the machine's resource with the
		// interfaces and the disk that were made for it.
		Prepare: func(_ context.Context, op fabric.Operation) error {
			return p.world.Update(func(t *fabric.Tx) error { return makeParts(t, op) })
		},
		Work: func(ctx context.Context, op fabric.Operation) error {
			spec, rules, ok := p.describe(op.Target)
			if !ok {
				return nil
			}
			if err := create(ctx, p.Driver, spec, rules); err != nil {
				return err
			}
			return p.refreshRules(ctx, spec.Key, op.Target, rules)
		},
		Failed: p.observe,
		Settle: settling(func(t *fabric.Tx, d *fabric.Document, op fabric.Operation, err error) {
			delete(d.Hidden, "booting")
			if err != nil {
				fail(t, d, op)
				// A guest that was waited for in vain may well run, and is billed.
				if observed(err) == machine.Running {
					setPower(t, d, Running)
				}
				t.Put(d)
				return
			}
			setProvisioning(t, d, fabric.Succeeded)
			setPower(t, d, Running)
			nameDisks(t, d)
			t.Put(d)
			markDisks(t, d)
		}),
	}
}

// create makes a machine and waits for its guest.
func create(ctx context.Context, d machine.Driver, s machine.Spec, r []machine.Rule) error {
	err := d.Create(ctx, s, r)
	if errors.Is(err, machine.ErrNotReported) {
		return arm.OSProvisioningTimedOut(s.Name)
	}
	return err
}

// makeParts makes the interfaces that came inline, and the OS disk. It is idempotent.
func makeParts(t *fabric.Tx, op fabric.Operation) error {
	d := t.Get(op.Target)
	if d == nil {
		return nil
	}
	if err := rbac.AuthorizeInline(t, op.Principal, d.ID, d.Hidden.List("inline")); err != nil {
		return err
	}
	location := d.Body.Str("location")
	list := []any{}
	for i, config := range d.Hidden.List("inline") {
		nic, err := network.MakeInline(t, d.ID, d.Hidden.Str("key"), location, config)
		if err != nil {
			return err
		}
		entry := doc.Object{"id": nic, "properties": doc.Object{"primary": i == 0 || config.Bool("properties", "primary")}}
		if option := config.Str("properties", "deleteOption"); option != "" {
			entry.Set(option, "properties", "deleteOption")
		}
		list = append(list, entry)
	}
	if len(list) > 0 {
		d.Body.Set(list, "properties", "networkProfile", "networkInterfaces")
	}
	d.Hidden["booting"] = true
	t.Put(d)
	makeDisk(t, d)
	return nil
}

// machineRefs are the interfaces a machine holds, its identity and its driver's key.
func machineRefs(d *fabric.Document) []fabric.Ref {
	refs := []fabric.Ref{{From: d.ID, To: keyRef(d.Hidden.Str("key"))}}
	for _, n := range interfaces(d) {
		refs = append(refs, fabric.Ref{From: d.ID, To: n.Str("id")})
	}
	if oid := d.Body.Str("identity", "principalId"); oid != "" {
		refs = append(refs, fabric.Ref{From: d.ID, To: rbac.IdentityKey(oid)})
	}
	return refs
}

// Principal is the identity of a machine; ok is false when it has none.
func Principal(d *fabric.Document) (p arm.Principal, ok bool) {
	p = arm.Principal{ObjectID: d.Body.Str("identity", "principalId"), AppID: d.Hidden.Str("clientId"), TenantID: d.Body.Str("identity", "tenantId")}
	return p, p.ObjectID != ""
}
