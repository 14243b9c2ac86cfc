package compute

import (
	"context"
	"errors"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/rbac"
)

// removeMachine starts the deletion of a machine; it preempts what runs.
func removeMachine(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	if busy := t.Busy(d.ID); busy != nil {
		if busy.Job == jobDelete {
			return busy.ID, nil
		}
		t.Preempt(d.ID)
	}
	setProvisioning(t, d, "Deleting")
	t.Put(d)
	return t.Begin(operation(t, d, jobDelete, opt.Principal)).ID, nil
}

func (p *Provider) deleteJob() fabric.Job {
	return fabric.Job{
		Takes: fabric.VMDelete,
		Work: func(ctx context.Context, op fabric.Operation) error {
			spec, _, ok := p.describe(op.Target)
			if !ok {
				return nil
			}
			return p.Driver.Delete(ctx, spec.Key)
		},
		Settle: settling(func(t *fabric.Tx, d *fabric.Document, op fabric.Operation, err error) {
			if err != nil {
				fail(t, d, op)
				t.Put(d)
				return
			}
			t.Delete(d.ID)
			t.Delete(eventsID(d.ID))
			if t.World().Switches.Is(fabric.AssignmentAfterVM, "removed") {
				rbac.ForgetScope(t, d.ID)
			}
			cascade(t, d, op)
		}),
	}
}

// cascade starts the deletion of what the machine's deleteOptions name. It comes after
// the machine's own operation, and nobody waits for it: as on Azure, a client may see
// interface, address and disk a while longer.
func cascade(t *fabric.Tx, d *fabric.Document, op fabric.Operation) {
	var parts []string
	if disk := letGo(t, d.ID, diskID(d)); disk != nil && goes(d.Body.Obj("properties", "storageProfile", "osDisk")) {
		parts = append(parts, disk.ID)
	}
	for _, own := range dataDisks(d) {
		if disk := letGo(t, d.ID, dataDiskID(d.ID, own)); disk != nil && goes(own) {
			parts = append(parts, disk.ID)
		}
	}
	for _, n := range interfaces(d) {
		if goes(n.Obj("properties")) {
			parts = append(parts, n.Str("id"))
		}
	}
	for _, id := range parts {
		t.Begin(fabric.Operation{Job: jobCascade, Target: id, Family: fabric.ComputeFamily, Location: op.Location, Principal: op.Principal})
	}
}

// goes tells whether a part of a machine goes with it.
func goes(part doc.Object) bool { return strings.EqualFold(part.Str("deleteOption"), "Delete") }

// cascadeJob deletes one part of a machine that is gone. A part in other use stays.
func cascadeJob() fabric.Job {
	return fabric.Job{
		Takes: fabric.VMCascade,
		Settle: func(t *fabric.Tx, op fabric.Operation, _ error) {
			d := t.Get(op.Target)
			if d == nil {
				return
			}
			_, err := t.RemovePart(d, fabric.RemoveOptions{Principal: op.Principal})
			var refused *arm.Error
			if errors.As(err, &refused) {
				t.World().Log.Warn("a machine's part was not deleted", "part", d.ID, "cause", refused)
			}
		},
	}
}
