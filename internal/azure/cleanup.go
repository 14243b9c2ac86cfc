package azure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mngr/internal/agent"
)

// CleanupResult says what cleanup did, or with DryRun would do.
type CleanupResult struct {
	SubscriptionID string
	ResourceGroup  string   // "" where there was nothing
	Region         string   // the instance's
	Deleted        bool     // something was, or would be, deleted
	Actions        []string // "delete resource group mngr", in order
	Warnings       []string
}

// Cleanup is the inverse of Prepare. It refuses while machines of ours exist, or parts of
// machines that are in use, and never deletes what somebody else has made: a group goes
// only if it and everything in it is ours. What destroyed hosts left behind goes with it:
// no host is listed any more through which it could be removed.
func (p *Provider) Cleanup(ctx context.Context, dryRun bool, progress agent.Progress) (CleanupResult, error) {
	ctx, cancel := context.WithTimeout(ctx, agent.DeadlineOperation)
	defer cancel()
	s, err := p.session(ctx)
	if err != nil {
		return CleanupResult{}, err
	}
	group := p.settings.ResourceGroup
	c := &cleanup{p: p, s: s, dryRun: dryRun, progress: progress, result: CleanupResult{
		SubscriptionID: s.subscription, Region: normalRegion(p.settings.Region)}}
	say(progress, "looking at the resource group")
	inv, found, err := s.take(ctx, group)
	if err != nil {
		return c.result, p.translate(err, "list resource group "+group)
	}
	if found {
		if err := refuse(group, inv); err != nil {
			return c.result, err
		}
		c.result.ResourceGroup = group
		if err := c.remove(ctx, group, inv); err != nil {
			return c.result, err
		}
	}
	c.role(ctx, group)
	return c.result, nil
}

func refuse(group string, inv inventory) error {
	if held := slices.Concat(inv.machines, inv.blocking); len(inv.machines) > 0 {
		return agent.Errorf(agent.KindRefused, "resource group %s still has %d machines of mngr: %s",
			group, len(inv.machines), strings.Join(held, ", ")).
			WithHint("mngr list, then mngr destroy every agent, then again: mngr azure cleanup")
	}
	if len(inv.blocking) > 0 {
		return agent.Errorf(agent.KindRefused, "resource group %s still has %d resources of mngr that are in use, or nobody knows whose: %s",
			group, len(inv.blocking), strings.Join(inv.blocking, ", ")).
			WithHint("detach or delete them with az, then again: mngr azure cleanup")
	}
	if inv.groupOurs && len(inv.foreign) > 0 {
		return agent.Errorf(agent.KindRefused, "resource group %s has %d resources that mngr did not make: %s",
			group, len(inv.foreign), strings.Join(inv.foreign, ", ")).
			WithHint("move or delete them, then again: mngr azure cleanup")
	}
	return nil
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
	c.result.Deleted = true
	if c.dryRun {
		return nil
	}
	say(c.progress, what)
	return c.p.translate(do(), what)
}

func (c *cleanup) remove(ctx context.Context, group string, inv inventory) error {
	if inv.groupOurs {
		what := "delete resource group " + group
		if len(inv.left) > 0 {
			what += " with what destroyed hosts left: " + describe(inv.left)
		}
		return c.act(what, func() error {
			op, err := c.s.groups.BeginDelete(ctx, group, nil)
			err = finish(ctx, c.p, op, err)
			if absent(err) {
				return nil
			}
			return err
		})
	}
	var errs []error
	for _, kind := range removalOrder {
		for _, it := range slices.Concat(inv.left, inv.ours) {
			if it.kind == kind {
				errs = append(errs, c.act("delete "+kindNames[kind]+" "+it.name, func() error {
					return whileBusy(ctx, c.p, c.progress, func(ctx context.Context) error {
						return c.p.remove(ctx, c.s, group, it)
					})
				}))
			}
		}
	}
	return errors.Join(errs...)
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
func (c *cleanup) role(ctx context.Context, group string) {
	guid := roleGUID(c.s.subscription)
	_, err := c.s.roles.Get(ctx, c.s.scope(), guid, nil)
	if absent(err) || denied(err) {
		return
	}
	others, users := 0, 0
	if err == nil {
		others, err = c.s.otherGroups(ctx, group)
	}
	if err == nil {
		users, err = c.s.roleUsers(ctx)
	}
	switch {
	case err != nil:
		c.result.Warnings = append(c.result.Warnings, c.p.translate(err, "look at the role "+roleName).Error())
		return
	case others > 0 || users > 0:
		c.result.Warnings = append(c.result.Warnings, fmt.Sprintf(
			"the role %s stays: %d other resource groups and %d assignments use it", roleName, others, users))
		return
	}
	err = c.act("delete role "+roleName, func() error {
		_, err := c.s.roles.Delete(ctx, c.s.scope(), guid, nil)
		return err
	})
	if err != nil {
		c.result.Warnings = append(c.result.Warnings, err.Error())
	}
}
