package resources

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

var groupName = regexp.MustCompile(`^[\p{L}\p{N}_().-]{1,90}$`)

func putGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	name := r.Params["group"]
	if !groupName.MatchString(name) || strings.HasSuffix(name, ".") {
		return nil, arm.Gatewayf(http.StatusBadRequest, "InvalidResourceGroup",
			"The provided resource group name '%s' has these invalid characters or is too long. The name can only be a letter, digit, '-', '.', '(', ')' or '_' and cannot end in a period.", name)
	}
	location := Normalize(r.Body.Str("location"))
	if location == "" {
		return nil, arm.Gatewayf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	if !IsRegion(location) {
		return nil, arm.Gatewayf(http.StatusBadRequest, "LocationNotAvailableForResourceGroup",
			"The provided location '%s' is not available for resource group.", location)
	}
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return nil, err
	}
	old := t.Get(r.ID)
	if old != nil && old.Body.Str("location") != location {
		return nil, arm.Gatewayf(http.StatusConflict, "InvalidResourceGroupLocation",
			"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", location, old.Body.Str("location"))
	}
	if old != nil {
		if err := checkNotDeleting(old); err != nil {
			return nil, err
		}
		return arm.OK(storeGroup(t, old.ID, location, r.Body, tags)), nil
	}
	return arm.Reply(http.StatusCreated, storeGroup(t, r.ID, location, r.Body, tags)), nil
}

func storeGroup(t *fabric.Tx, id, location string, given doc.Object, tags map[string]string) doc.Object {
	body := doc.Object{"id": id, "name": arm.Name(id), "type": arm.TypeGroup, "location": location,
		"properties": doc.Object{"provisioningState": fabric.Succeeded}}
	if given["tags"] != nil {
		body["tags"] = doc.OfStrings(tags)
	}
	if m := given.Str("managedBy"); m != "" {
		body["managedBy"] = m
	}
	t.Put(&fabric.Document{ID: id, Body: body})
	return body
}

func getGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if d := t.Peek(r.ID); d != nil {
		return arm.OK(d.Body), nil
	}
	return nil, arm.GroupNotFound(r.Params["group"])
}

func headGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if t.Peek(r.ID) != nil {
		return arm.Reply(http.StatusNoContent, nil), nil
	}
	return arm.Reply(http.StatusNotFound, nil), nil
}

func patchGroup(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Get(r.ID)
	if d == nil {
		return nil, arm.GroupNotFound(r.Params["group"])
	}
	if r.Body["tags"] != nil {
		tags, err := arm.ReadTags(r.Body)
		if err != nil {
			return nil, err
		}
		d.Body["tags"] = doc.OfStrings(tags)
	}
	t.Put(d)
	return arm.OK(d.Body), nil
}

func listGroups(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	for _, d := range t.List(arm.TypeGroup, "/subscriptions/"+r.Params["sub"]) {
		if t.Visible(d.ID) && tagFilter(r.Query.Get("$filter"), d) {
			rows = append(rows, d.Body)
		}
	}
	return arm.List(r, rows), nil
}

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
					e := arm.Errorf(http.StatusConflict, "ResourceGroupDeletionBlocked",
						"Deletion of resource group '%s' failed as resources could not be deleted.", arm.Name(op.Target))
					e.Details = refused
					return e
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
			opID, err := t.RemovePart(d, fabric.RemoveOptions{Force: true, Principal: op.Principal})
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

func checkNotDeleting(group *fabric.Document) error {
	if group.Body.Str("properties", "provisioningState") != "Deleting" {
		return nil
	}
	return arm.Gatewayf(http.StatusConflict, "ResourceGroupBeingDeleted",
		"The resource group '%s' is in deprovisioning state and cannot perform this operation.", arm.Name(group.ID))
}

// Normalize turns "East US" into "eastus".
func Normalize(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}
