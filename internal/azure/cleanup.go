package azure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"mngr/internal/agent"
)

// CleanupResult says what cleanup did, or with DryRun would do.
type CleanupResult struct {
	SubscriptionID string
	ResourceGroup  string   // "" where nothing of ours was in it
	Region         string   // the instance's
	Deleted        bool     // something was, or would be, deleted
	Actions        []string // "delete resource group mngr", in order
	Notes          []string // what stays, and why
	Warnings       []string
}

// Cleanup is the inverse of Prepare. It refuses while machines of ours exist, or parts of
// machines that are in use, and never deletes what somebody else has made: a group goes
// only if it and everything in it is ours. What destroyed hosts left behind goes with it:
// no host is listed any more through which it could be removed.
func (p *Provider) Cleanup(ctx context.Context, dryRun bool, progress agent.Progress) (result CleanupResult, err error) {
	ctx, done := agent.Within(agent.WithProgress(ctx, progress), agent.DeadlineOperation, "cleaning up resource group "+p.settings.ResourceGroup)
	defer done(&err)
	s, err := p.session(ctx)
	if err != nil {
		return CleanupResult{}, err
	}
	defer func() {
		if agent.KindOf(err) == agent.KindCanceled {
			err = &agent.Error{Kind: agent.KindCanceled, Err: err, Cause: err.Error() + "; Azure may go on with what it was told",
				Hint: p.cleanupCommand() + " # goes on; mngr list and mngr gc show what is left"}
		}
	}()
	group := p.settings.ResourceGroup
	c := &cleanup{p: p, s: s, dryRun: dryRun, progress: progress, result: CleanupResult{
		SubscriptionID: s.subscription, Region: normalRegion(p.settings.Region)}}
	say(progress, "looking at the resource group")
	inv, found, err := s.take(ctx, group)
	if err != nil {
		return c.result, p.translate(err, "list resource group "+group)
	}
	if found {
		if err := p.refuse(inv); err != nil {
			return c.result, err
		}
		if err := c.remove(ctx, group, inv); err != nil {
			return c.result, err
		}
		if c.result.Deleted {
			c.result.ResourceGroup = group
		}
	}
	c.role(ctx, group, inv)
	return c.result, nil
}

// refuse keeps from harm what is not ours to delete, and what an agent may still need.
func (p *Provider) refuse(inv inventory) error {
	group, again := p.settings.ResourceGroup, p.cleanupCommand()
	if len(inv.machines) > 0 {
		var names []string
		for _, m := range inv.machines {
			names = append(names, m.String())
		}
		return agent.Errorf(agent.KindRefused, "resource group %s still has %d machines of mngr: %s",
			group, len(names), some(append(names, inv.blocking...))).
			WithHint("%s", agent.Explain(destroyCommand(inv.machines), "then again: "+again))
	}
	if len(inv.blocking) > 0 {
		return agent.Errorf(agent.KindRefused, "resource group %s still has %d resources of mngr that are in use, or nobody knows whose: %s",
			group, len(inv.blocking), some(inv.blocking)).
			WithHint("%s # once they are detached or deleted (az resource list -g %s --output table shows them)", again, group)
	}
	if inv.groupOurs && len(inv.foreign) > 0 {
		return agent.Errorf(agent.KindRefused, "resource group %s has %d resources that mngr did not make: %s",
			group, len(inv.foreign), some(inv.foreign)).
			WithHint("az resource list -g %s --output table # move or delete them, then again: %s", group, again)
	}
	return nil
}

// cleanupCommand cleans this instance up.
func (p *Provider) cleanupCommand() string {
	return strings.Replace(p.prepareCommand(), "prepare", "cleanup", 1)
}

// destroyCommand destroys the hosts by name where their tags hold names of hosts, which a
// shell takes as they are.
func destroyCommand(machines []heldMachine) string {
	command := "mngr destroy"
	for _, m := range machines {
		if a, err := agent.ParseHostAddress(m.host); err != nil || a.Provider != "" || len(machines) > mostShown {
			return "mngr list # shows their agents; mngr destroy each"
		}
		command += " @" + m.host
	}
	return command
}

// mostShown bounds what an error names.
const mostShown = 10

func some(names []string) string {
	if len(names) <= mostShown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostShown], ", "), len(names)-mostShown)
}

type cleanup struct {
	p        *Provider
	s        *session
	dryRun   bool
	progress agent.Progress
	result   CleanupResult
}

// act does one thing, or only notes it.
func (c *cleanup) act(what string, do func() error) error {
	c.result.Actions = append(c.result.Actions, what)
	if !c.dryRun {
		say(c.progress, what)
		if err := do(); err != nil {
			return c.p.translate(err, what)
		}
	}
	c.result.Deleted = true
	return nil
}

func (c *cleanup) remove(ctx context.Context, group string, inv inventory) error {
	if inv.groupOurs {
		what := "delete resource group " + group
		if len(inv.left) > 0 {
			what += " with what destroyed hosts left: " + describe(inv.left)
		}
		var gone []string
		err := c.act(what, func() (err error) {
			if gone, err = c.shut(ctx, group, inv); err != nil {
				return err
			}
			op, err := c.s.groups.BeginDelete(ctx, group, nil)
			err = finish(ctx, c.p, op, err)
			if absent(err) {
				return nil
			}
			return err
		})
		return c.already(gone, err)
	}
	var errs []error
	for _, kind := range removalOrder {
		for _, it := range slices.Concat(inv.left, inv.ours) {
			if it.kind == kind {
				errs = append(errs, c.act("delete "+kindNames[kind]+" "+it.name, func() error {
					return stubbornly(ctx, c.p, agent.DeadlineAccept, c.progress, func(ctx context.Context) error {
						return c.p.remove(ctx, c.s, group, it)
					})
				}))
			}
		}
	}
	return errors.Join(errs...)
}

// shut deletes the networks of a group that is to go as a whole, and looks again. Azure
// deletes no network that an interface is in, and makes no machine without one: who began
// to make a machine since the first look is not run over. It returns the networks that are
// gone, also with an error.
func (c *cleanup) shut(ctx context.Context, group string, inv inventory) (gone []string, err error) {
	for _, it := range inv.ours {
		if it.kind != typeVNet || slices.ContainsFunc(inv.left, func(l item) bool { return l.kind == typeNIC }) {
			continue // what a destroyed host left is in it, too
		}
		err := stubbornly(ctx, c.p, agent.DeadlineAccept, c.progress, func(ctx context.Context) error {
			return c.p.remove(ctx, c.s, group, it)
		})
		if hasCode(err, "InUseSubnetCannotBeDeleted", "InUseVirtualNetworkCannotBeDeleted") {
			cause := "somebody makes a machine in network " + it.name
			if len(gone) == 0 {
				cause += "; nothing was deleted"
			}
			return gone, agent.Errorf(agent.KindConflict, "%s", cause).WithHint("mngr list # then again: %s", c.p.cleanupCommand())
		}
		switch {
		case err == nil:
			gone = append(gone, it.name)
		case !absent(err) && !denied(err): // the right to delete the group may be all there is
			return gone, err
		}
	}
	again, found, err := c.s.take(ctx, group)
	if err != nil || !found {
		return gone, err
	}
	return gone, c.p.refuse(again)
}

// already adds to an error which networks are gone by then, without which nobody makes a host.
func (c *cleanup) already(gone []string, err error) error {
	if err == nil || len(gone) == 0 {
		return err
	}
	networks := "network " + strings.Join(gone, " and network ")
	hint := c.p.prepareCommand() + " # makes " + networks + " again"
	if first := agent.HintOf(err); first != "" {
		hint = agent.Explain(first, "or keep the group: "+hint)
	}
	return &agent.Error{Kind: agent.KindOf(err), Cause: err.Error() + "; deleted already: " + networks, Hint: hint, Err: err}
}

func describe(items []item) string {
	var all []string
	for _, it := range items {
		all = append(all, kindNames[it.kind]+" "+it.name)
	}
	return strings.Join(all, ", ")
}

// role deletes the self-deallocate role once neither a machine nor another prepared
// group of the subscription needs it. It costs nothing, so that trouble is a warning.
func (c *cleanup) role(ctx context.Context, group string, inv inventory) {
	guid := roleGUID(c.s.subscription)
	_, err := c.s.roles.Get(ctx, c.s.scope(), guid, nil)
	if absent(err) || denied(err) {
		return
	}
	var others []string
	var users []*armauthorization.RoleAssignment
	if err == nil {
		others, err = c.s.otherGroups(ctx, group)
	}
	if err == nil {
		users, err = c.s.roleUsers(ctx)
	}
	users = c.forget(ctx, users, inv)
	switch {
	case err != nil:
		c.warn(c.p.translate(err, "look at the role "+roleName).Error())
		return
	case len(others) > 0:
		c.note("the role " + roleName + " stays: mngr works in " + some(others) + ", too")
		return
	case len(users) > 0:
		c.note(fmt.Sprintf("the role %s stays: %d assignments use it (az role assignment list --all --role %s)", roleName, len(users), guid))
		return
	}
	err = c.act("delete role "+roleName, func() error {
		_, err := c.s.roles.Delete(ctx, c.s.scope(), guid, nil)
		return err
	})
	if err != nil {
		c.warn(err.Error())
	}
}

// forget removes the assignments of machines that the group does not have any more, which
// Azure keeps, and returns those that count.
func (c *cleanup) forget(ctx context.Context, users []*armauthorization.RoleAssignment, inv inventory) []*armauthorization.RoleAssignment {
	below := strings.ToLower(c.s.vmID(c.p.settings.ResourceGroup, ""))
	var counting []*armauthorization.RoleAssignment
	for _, a := range users {
		scope := strings.ToLower(text(a.Properties.Scope))
		if !strings.HasPrefix(scope, below) || inv.vmIDs[scope] {
			counting = append(counting, a)
			continue
		}
		err := c.act("delete role assignment "+text(a.Name)+" of a machine that is gone", func() error {
			_, err := c.s.assignments.DeleteByID(ctx, text(a.ID), nil)
			return err
		})
		if err != nil {
			c.warn(err.Error())
			counting = append(counting, a)
		}
	}
	return counting
}

func (c *cleanup) note(text string) { c.result.Notes = append(c.result.Notes, text) }
func (c *cleanup) warn(text string) { c.result.Warnings = append(c.result.Warnings, text) }
