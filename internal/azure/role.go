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

const (
	roleName = "mngr-self-deallocate"

	kindRole = "role"

	permissionSeeRole = "Microsoft.Authorization/roleDefinitions/read"
	permissionDefine  = "Microsoft.Authorization/roleDefinitions/write"
	permissionAssign  = "Microsoft.Authorization/roleAssignments/write"
)

func (s *session) roleID() string {
	return s.scope() + "/providers/Microsoft.Authorization/roleDefinitions/" + roleGUID(s.subscription)
}

// roleBody is the least that lets a machine deallocate itself.
func (s *session) roleBody(name string) armauthorization.RoleDefinition {
	return armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{
		RoleName:    new(name),
		RoleType:    new("CustomRole"),
		Description: new("Lets a machine made by mngr deallocate itself when it is idle."),
		Permissions: []*armauthorization.Permission{{
			Actions: []*string{
				new("Microsoft.Compute/virtualMachines/deallocate/action"),
				new("Microsoft.Compute/virtualMachines/read"),
			},
			NotActions: []*string{},
		}},
		AssignableScopes: []*string{new(s.scope())},
	}}
}

func (s *session) hasRole(ctx context.Context) (bool, error) {
	_, err := s.roles.Get(ctx, s.scope(), roleGUID(s.subscription), nil)
	if absent(err) {
		return false, nil
	}
	return err == nil, err
}

// planRole is best effort: without the role everything works but stopping by itself.
func (w *preparation) planRole(found survey) {
	switch {
	case found.roleErr != nil:
		w.warn(w.noSelfStop(found.roleErr, permissionSeeRole))
	case found.role:
		w.keep(kindRole, roleName)
	default:
		w.add(step{
			part:     Part{Kind: kindRole, Name: roleName, Action: Create},
			do:       w.s.defineRole,
			optional: func(err error) string { return w.noSelfStop(err, permissionDefine) },
		})
	}
}

// noSelfStop says what the lack of the role means. permission is the one that a refusal
// is about.
func (w *preparation) noSelfStop(err error, permission string) string {
	const so = "without it machines do not stop by themselves when idle, and only mngr stop ends their billing " +
		"(a shutdown inside the machine does not)"
	switch {
	case !denied(err):
		return w.p.translate(err, "define the role "+roleName).Error() + "; " + so
	case permission == permissionSeeRole:
		return "the login lacks " + permission + ", so that nobody knows whether the role " + roleName + " exists; " + so
	}
	return "the login lacks " + permission + ", so that the role " + roleName + " is not made; " + so +
		"; an Owner or User Access Administrator makes it with: " + w.p.prepareCommand()
}

// defineRole makes the self-deallocate role. Its name is unique in a tenant, so that a
// second subscription's carries the subscription's first digits.
func (s *session) defineRole(ctx context.Context) error {
	guid := roleGUID(s.subscription)
	_, err := s.roles.CreateOrUpdate(ctx, s.scope(), guid, s.roleBody(roleName), nil)
	if hasCode(err, "RoleDefinitionWithSameNameExists") {
		own := roleName + "-" + s.subscription[:min(8, len(s.subscription))]
		_, err = s.roles.CreateOrUpdate(ctx, s.scope(), guid, s.roleBody(own), nil)
	}
	return err
}

// LetStopItself gives an existing machine the right to deallocate itself; if it cannot,
// why. A machine that has the right already keeps it.
func (p *Provider) LetStopItself(ctx context.Context, resource string) (ok bool, why string) {
	if !p.settings.SelfStop {
		return false, switchedOff
	}
	ctx, done := agent.Within(ctx, agent.DeadlineAccept, "assigning the role "+roleName)
	defer done(nil)
	s, err := p.session(ctx)
	if err != nil {
		return false, err.Error()
	}
	name, err := p.machineName(s, resource)
	if err != nil {
		return false, err.Error()
	}
	vm, err := s.machines.Get(ctx, p.settings.ResourceGroup, name, nil)
	switch {
	case absent(err):
		return false, "machine " + name + " does not exist"
	case err != nil:
		return false, translate(err, "read machine "+name).Error()
	case vm.Identity == nil && tag(vm.Tags, tagUnsafe) != "":
		return false, withoutIdentity
	case vm.Identity == nil:
		return false, "machine " + name + " was made with no identity"
	}
	why = p.letStopItself(ctx, s, s.vmID(p.settings.ResourceGroup, name), vm.Identity)
	return why == "", why
}

const (
	switchedOff     = "self-stop is switched off in the configuration"
	withoutIdentity = "its start arguments are unsafe, so that its machine has no identity"
)

// letStopItself assigns the role to a machine's identity, on that machine alone. It
// returns why that did not work, or "".
func (p *Provider) letStopItself(ctx context.Context, s *session, vmID string, identity *armcompute.VirtualMachineIdentity) string {
	if !p.settings.SelfStop {
		return switchedOff
	}
	limit, done := agent.Within(ctx, agent.DeadlineAssign, "assigning the role "+roleName)
	defer done(nil)
	principal, err := p.principal(limit, s, vmID, identity)
	for err == nil {
		err = s.assign(limit, vmID, principal)
		if !hasCode(err, "PrincipalNotFound") && !absent(err) || hasCode(err, "RoleDefinitionDoesNotExist") {
			break
		}
		// The directory has not heard of the identity, or ARM of the machine.
		if pause(limit, 2*p.settings.PollInterval) == nil {
			err = nil
		}
	}
	switch {
	case err == nil:
		return ""
	case denied(err):
		return "the login lacks " + permissionAssign
	case hasCode(err, "RoleDefinitionDoesNotExist"):
		return "the role " + roleName + " does not exist: " + p.prepareCommand() + " makes it with " + permissionDefine
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return translate(err, "assign the role "+roleName).Error()
}

// principal is the object id of a machine's identity, which the first answer normally holds.
func (p *Provider) principal(ctx context.Context, s *session, vmID string, identity *armcompute.VirtualMachineIdentity) (string, error) {
	name, err := p.machineName(s, vmID)
	if err != nil {
		return "", err
	}
	for {
		if identity != nil && text(identity.PrincipalID) != "" {
			return *identity.PrincipalID, nil
		}
		if err := pause(ctx, p.settings.PollInterval); err != nil {
			return "", err
		}
		vm, err := s.machines.Get(ctx, p.settings.ResourceGroup, name, nil)
		if err != nil {
			return "", err
		}
		identity = vm.Identity
	}
}

func (s *session) assign(ctx context.Context, vmID, principal string) error {
	_, err := s.assignments.Create(ctx, vmID, assignmentGUID(vmID, s.roleID(), principal),
		armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
			RoleDefinitionID: new(s.roleID()),
			PrincipalID:      new(principal),
			PrincipalType:    new(armauthorization.PrincipalTypeServicePrincipal),
		}}, nil)
	if hasCode(err, "RoleAssignmentExists") {
		return nil
	}
	return err
}

// roleUsers are the assignments of the self-deallocate role.
func (s *session) roleUsers(ctx context.Context) ([]*armauthorization.RoleAssignment, error) {
	list, err := collect(ctx, s.assignments.NewListForSubscriptionPager(nil),
		func(page armauthorization.RoleAssignmentsClientListForSubscriptionResponse) []*armauthorization.RoleAssignment {
			return page.Value
		})
	return slices.DeleteFunc(list, func(a *armauthorization.RoleAssignment) bool {
		return a.Properties == nil || !strings.EqualFold(text(a.Properties.RoleDefinitionID), s.roleID())
	}), err
}
