package resources

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// deleteGroup starts the job that deletes everything in a group. Only Location, no
// Azure-AsyncOperation: so it is recorded.
func deleteGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Get(r.ID)
	if d == nil {
		return nil, arm.GroupNotFound(r.Params["group"])
	}
	answer := fabric.Async{Status: http.StatusAccepted, Location: true, RetryAfter: 15}
	if op := t.Busy(d.ID); op != nil {
		return t.Accepted(r, *op, answer), nil
	}
	d.Body.Set("Deleting", "properties", "provisioningState")
	t.Put(d)
	op := t.Begin(fabric.Operation{
		ID: fabric.GroupToken(arm.Name(d.ID), d.Body.Str("location")), Job: jobDeleteGroup, Target: d.ID,
		Family: fabric.GroupFamily, Location: d.Body.Str("location"), Principal: r.Principal,
		Input: doc.Object{"force": r.Query.Get("forceDeletionTypes")},
	})
	return t.Accepted(r, op, answer), nil
}

const jobDeleteGroup = "group.delete"

// groupJob deletes what a group holds, in passes, since some resources refuse while
// others use them; it gives up when a pass makes no progress.
func groupJob(w *fabric.World) fabric.Job {
	return fabric.Job{
		Takes: fabric.GroupDelete,
		Work: func(ctx context.Context, op fabric.Operation) error {
			for {
				left, refused, err := groupPass(ctx, w, op)
				if err != nil || left == 0 {
					return err
				}
				if left == len(refused) {
					return deletionBlocked(op, refused)
				}
			}
		},
		Settle: func(t *fabric.Tx, op fabric.Operation, err error) {
			d := t.Get(op.Target)
			if d == nil {
				return
			}
			if err != nil {
				d.Body.Set(fabric.Succeeded, "properties", "provisioningState")
				t.Put(d)
				return
			}
			for _, below := range t.Below(op.Target) {
				t.Delete(below.ID)
			}
			t.Delete(op.Target)
		},
	}
}

// deletionBlocked is the end of a deletion that gets no further
// (Azure/bicep-registry-modules#1607): the details have no codes but the whole refusals.
func deletionBlocked(op fabric.Operation, refused []arm.Detail) *arm.Error {
	var names []string
	for i, d := range refused {
		p := arm.ParseID(d.Target)
		names = append(names, p.Type()+"/"+p.FullName())
		text, _ := json.Marshal(map[string]any{"error": map[string]string{"code": d.Code, "message": d.Message}})
		refused[i].Code, refused[i].Message = "", string(text)
	}
	e := arm.Gatewayf(http.StatusConflict, "ResourceGroupDeletionBlocked",
		"Deletion of resource group '%s' failed as resources with identifiers '%s' could not be deleted. The provisioning state of the resource group will be rolled back. The tracking Id is '%s'. Please check audit logs for more details.",
		arm.Name(op.Target), strings.Join(names, ","), uuid.NewString())
	e.Details = refused
	return e
}

// forced tells whether forceDeletionTypes of a group's deletion names the type of an id.
func forced(op fabric.Operation, id string) bool {
	for one := range strings.SplitSeq(op.Input.Str("force"), ",") {
		if strings.EqualFold(strings.TrimSpace(one), arm.ParseID(id).Type()) {
			return true
		}
	}
	return false
}

func groupPass(ctx context.Context, w *fabric.World, op fabric.Operation) (left int, refused []arm.Detail, err error) {
	begun := map[string]string{} // resource by operation
	var ids []string
	w.View(func(t *fabric.Tx) {
		for _, d := range t.Below(op.Target) {
			if k := w.KindOf(d.ID); k != nil && k.Tracked {
				ids = append(ids, d.ID)
			}
		}
	})
	for _, id := range ids {
		err := w.Update(func(t *fabric.Tx) error {
			d := t.Get(id)
			if d == nil {
				return nil
			}
			opID, err := t.RemovePart(d, fabric.RemoveOptions{Force: forced(op, id), Principal: op.Principal})
			begun[opID] = id
			return err
		})
		var e *arm.Error
		if errors.As(err, &e) {
			refused = append(refused, arm.Detail{Code: e.Code, Message: e.Message, Target: id})
		} else if err != nil {
			return 0, nil, err
		}
	}
	for opID, id := range begun {
		if err := w.Wait(ctx, opID); ctx.Err() != nil {
			return 0, nil, ctx.Err()
		} else if err != nil {
			refused = append(refused, arm.Detail{Code: "OperationFailed", Message: err.Error(), Target: id})
		}
	}
	return len(ids), refused, nil
}
