package azure

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

const permissionRevoke = "Microsoft.Authorization/roleAssignments/delete"

// revoke removes the role assignments on a machine that has gone. They may outlive it,
// count against the subscription's 4000, and would come to life again with a machine of
// the same name. Ours is known by its name; the original's have random ones.
func (p *Provider) revoke(ctx context.Context, s *session, vmID string, vm *armcompute.VirtualMachine, progress agent.Progress) error {
	var stays []string
	err := stubbornly(ctx, p, agent.DeadlineAccept, progress, func(ctx context.Context) error {
		stays = nil
		if vm.Identity != nil && text(vm.Identity.PrincipalID) != "" {
			name := assignmentGUID(vmID, s.roleID(), *vm.Identity.PrincipalID)
			// Azure refuses this to a login without the right even where there is none: the list tells.
			if _, err := s.assignments.Delete(ctx, vmID, name, nil); err != nil && !absent(err) && !denied(err) {
				stays = []string{vmID + "/providers/Microsoft.Authorization/roleAssignments/" + name}
				return err
			}
		}
		list, err := p.orphans(ctx, s, vmID)
		if err != nil {
			return err
		}
		var errs []error
		for _, id := range list {
			if _, err := s.assignments.DeleteByID(ctx, id, nil); err != nil && !absent(err) {
				stays, errs = append(stays, id), append(errs, err)
			}
		}
		return errors.Join(errs...)
	})
	switch {
	case err == nil:
		return nil
	case len(stays) == 0 && denied(err): // what we made, we could have removed
		return nil
	}
	return p.unrevoked(vmID, stays, err)
}

// unrevoked is the error of assignments that stay. They cost nothing, so that a login
// which lacks the right to remove them hears of it without an alarm about money.
func (p *Provider) unrevoked(vmID string, stays []string, cause error) error {
	e := &agent.Error{Kind: agent.KindRemains, Err: cause, Hint: "az role assignment list --all --scope " + vmID,
		Cause: "the machine is gone, but perhaps not its role assignment: " + p.translate(cause, "remove it").Error()}
	if len(stays) > 0 {
		e.Hint = RevokeCommand(stays)
	}
	if denied(cause) {
		e.Kind, e.Harmless = agent.KindDenied, true
		e.Cause = "the machine is gone, but not its role assignment, which grants and costs nothing: the login lacks " + permissionRevoke
	}
	return e
}

// RevokeCommand removes role assignments by their ids, for somebody who may.
func RevokeCommand(ids []string) string {
	return "az role assignment delete --ids " + strings.Join(ids, " ")
}

// orphans are the ids of the role assignments on exactly one machine, but for those of a
// machine that has its name by now. They were listed first: what is listed of the new
// machine belongs to one that is there when it is looked for.
func (p *Provider) orphans(ctx context.Context, s *session, vmID string) ([]string, error) {
	list, err := s.assignmentsOn(ctx, vmID)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	name, err := p.machineName(s, vmID)
	if err != nil {
		return nil, err
	}
	now, err := s.machines.Get(ctx, p.settings.ResourceGroup, name, nil)
	if err != nil && !absent(err) {
		return nil, err
	}
	var ids []string
	for _, a := range list {
		if now.Identity == nil || !strings.EqualFold(text(a.Properties.PrincipalID), text(now.Identity.PrincipalID)) {
			ids = append(ids, text(a.ID))
		}
	}
	return ids, nil
}

// assignmentsOn lists the role assignments on exactly one machine.
func (s *session) assignmentsOn(ctx context.Context, vmID string) ([]*armauthorization.RoleAssignment, error) {
	list, err := collect(ctx, s.assignments.NewListForScopePager(vmID, nil),
		func(page armauthorization.RoleAssignmentsClientListForScopeResponse) []*armauthorization.RoleAssignment {
			return page.Value
		})
	return slices.DeleteFunc(list, func(a *armauthorization.RoleAssignment) bool {
		return a.Properties == nil || !atScope(text(a.Properties.Scope), vmID)
	}), err
}
