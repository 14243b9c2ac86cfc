package azure

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

// Destroy deletes a machine and its role assignments, and sees to it that the interface,
// the address and the disk go with it. Absent is fine. It needs nothing but ARM.
func (p *Provider) Destroy(ctx context.Context, host agent.Host, progress agent.Progress) (err error) {
	ctx, done := agent.Within(agent.WithProgress(ctx, progress), agent.DeadlineOperation, "destroying host "+host.Name)
	defer done(&err)
	s, err := p.session(ctx)
	if err != nil {
		return err
	}
	group := p.settings.ResourceGroup
	name, err := p.machineName(s, host.Resource)
	if err != nil {
		return err
	}
	belongings := partsOf(name, host.Resource, host.ID)
	var vm armcompute.VirtualMachinesClientGetResponse
	err = stubbornly(ctx, p, agent.DeadlineAccept, progress, func(ctx context.Context) (err error) {
		vm, err = s.machines.Get(ctx, group, name, nil)
		return err
	})
	switch {
	case absent(err):
	case err != nil:
		return p.translate(err, "look at machine "+name)
	case !meant(&vm.VirtualMachine, host.ID):
		return &agent.Error{Kind: agent.KindRefused, Cause: "machine " + name + " belongs to another host by now", Hint: "mngr list", Err: errSucceeded}
	default:
		belongings.see(&vm.VirtualMachine)
		if hostID(vm.Tags) == "" {
			_, _ = s.find(ctx, group, &belongings) // attachments tell what tags cannot, and go with the machine
		}
		say(progress, "deleting the machine")
		if err := p.deleteMachine(ctx, s, name, host.ID, progress); err != nil {
			return p.undeleted(host, name, err)
		}
	}
	revoked := p.revoke(ctx, s, host.Resource, &vm.VirtualMachine, progress)
	return errors.Join(p.sweep(ctx, s, belongings, progress), revoked)
}

// undeleted is the error of a machine that stays, and bills. The hint names the host's id:
// another host may have the name by the time somebody reads it.
func (p *Provider) undeleted(host agent.Host, name string, cause error) error {
	err := p.translate(cause, "delete machine "+name)
	if agent.KindOf(err) == agent.KindCanceled {
		return err
	}
	hint := "mngr destroy --force @" + cmp.Or(string(host.ID), host.Name)
	if first := agent.HintOf(err); first != "" {
		hint = agent.Explain(hint, "before that: "+first)
	}
	return &agent.Error{Kind: agent.KindRemains, Cause: err.Error() + "; it is still there, and bills", Hint: hint, Err: err}
}

// errSucceeded says that a machine has gone and that another host's has its name.
var errSucceeded = errors.New("its machine has gone, and another host's has the name")

// meant tells whether a machine is still the one that was listed for a host. One whose
// tag has been lost or spoilt is, as long as it says that it is ours: its name follows
// from its host's.
func meant(vm *armcompute.VirtualMachine, host agent.HostID) bool {
	id := hostID(vm.Tags)
	return id != "" && id == host || id == "" && ours(vm.Tags)
}

// deleteMachine deletes a machine of a host. Before each attempt but the first it looks
// whether the machine is still that host's: others may have deleted it, and made another
// of the name, while Azure was busy or its answer lost. Hence no attempts of the SDK's own.
func (p *Provider) deleteMachine(ctx context.Context, s *session, name string, host agent.HostID, progress agent.Progress) error {
	group, again := p.settings.ResourceGroup, false
	return stubbornly(ctx, p, agent.DeadlineDelete, progress, func(ctx context.Context) error {
		if again {
			vm, err := s.machines.Get(ctx, group, name, nil)
			if absent(err) || err == nil && !meant(&vm.VirtualMachine, host) {
				return nil
			}
			if err != nil {
				return err
			}
		}
		again = true
		once := policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1, TryTimeout: p.retry.TryTimeout})
		op, err := s.machines.BeginDelete(once, group, name, nil)
		return finish(ctx, p, op, err)
	})
}

// sweep waits until Azure has removed a machine's parts, and after a while removes
// them itself. Azure keeps the interface of a machine that never came to be for 180
// seconds, and an address is as long-lived as its interface.
func (p *Provider) sweep(ctx context.Context, s *session, w parts, progress agent.Progress) error {
	const ownHands = 5 // looks before we delete ourselves
	limit, done := agent.Within(ctx, agent.DeadlineParts, "waiting until the parts of machine "+w.vm+" are gone")
	defer done(nil) // what is left is the news
	group := p.settings.ResourceGroup
	at := rest{s.subscription, group, w.vm}
	var left remains
	var last error
	for look := 0; ; look++ {
		seen, err := s.find(limit, group, &w)
		if err == nil && seen.none() {
			return nil
		}
		if err == nil {
			left = seen
		}
		silence := p.settings.PollInterval
		switch {
		case err != nil && limit.Err() == nil && !passes(err):
			return at.cannotTell(w.host, err)
		case err != nil:
			silence = max(silence, askedFor(err))
			say(progress, waiting(err, silence))
		case look >= ownHands:
			last = p.removeParts(limit, s, group, left)
			if hasCode(last, "NicReservedForAnotherVm") {
				say(progress, reservedPhase)
			}
			if denied(last) { // Azure has had its time, and no wait gives a right
				return at.stillThere(left, last)
			}
		case look == 0:
			say(progress, "waiting until disk, address and interface are gone")
		}
		if pause(limit, silence) != nil {
			if left.none() {
				return at.cannotTell(w.host, errors.Join(ctx.Err(), err))
			}
			return at.stillThere(left, errors.Join(ctx.Err(), last))
		}
	}
}

// rest says where the parts of a machine that has gone would be.
type rest struct{ subscription, group, vm string }

// stillThere is the error of parts that stay. The host is not listed any more, hence the
// very commands that remove them.
func (at rest) stillThere(left remains, cause error) error {
	e := &agent.Error{Kind: agent.KindRemains, Cause: "machine " + at.vm + " is gone, but not its " + left.String(),
		Hint: left.commands(at), Err: cause}
	if cause != nil {
		e.Cause += ": " + translate(cause, "delete").Error()
	}
	return e
}

// cannotTell is the error of a look that failed.
func (at rest) cannotTell(host agent.HostID, cause error) error {
	hint := "az resource list --subscription " + at.subscription + " -g " + at.group
	if host != "" {
		hint += " --tag " + tagHostID + "=" + string(host)
	}
	return &agent.Error{Kind: agent.KindRemains, Err: cause, Hint: hint + " --output table",
		Cause: "cannot tell whether anything is left of machine " + at.vm + ": " + translate(cause, "list").Error()}
}

// removeParts deletes in the order that Azure allows. The refusals are returned after
// everything has been tried.
func (p *Provider) removeParts(ctx context.Context, s *session, group string, left remains) error {
	var errs []error
	for _, kind := range []struct {
		kind  string
		names []string
	}{{typeNIC, left.nics}, {typeIP, left.ips}, {typeDisk, left.disks}} {
		for _, name := range kind.names {
			errs = append(errs, p.remove(ctx, s, group, item{kind.kind, name}))
		}
	}
	return errors.Join(errs...)
}

// remove deletes one resource of ours and waits. Absent is fine.
func (p *Provider) remove(ctx context.Context, s *session, group string, it item) error {
	switch it.kind {
	case typeNIC:
		op, err := s.nics.BeginDelete(ctx, group, it.name, nil)
		return finish(ctx, p, op, err)
	case typeIP:
		op, err := s.ips.BeginDelete(ctx, group, it.name, nil)
		return finish(ctx, p, op, err)
	case typeDisk:
		op, err := s.disks.BeginDelete(ctx, group, it.name, nil)
		return finish(ctx, p, op, err)
	case typeVNet:
		op, err := s.vnets.BeginDelete(ctx, group, it.name, nil)
		return finish(ctx, p, op, err)
	case typeNSG:
		op, err := s.nsgs.BeginDelete(ctx, group, it.name, nil)
		return finish(ctx, p, op, err)
	}
	return agent.Errorf(agent.KindInternal, "nobody knows how to delete a %s", it.kind)
}

// listVMs returns the machines of a group; none where the group is absent.
func (s *session) listVMs(ctx context.Context, group string) ([]*armcompute.VirtualMachine, error) {
	return collect(ctx, s.machines.NewListPager(group, nil),
		func(page armcompute.VirtualMachinesClientListResponse) []*armcompute.VirtualMachine {
			return page.Value
		})
}

// atScope tells whether an assignment is on exactly this machine.
func atScope(scope, vmID string) bool {
	return strings.EqualFold(strings.TrimRight(scope, "/"), strings.TrimRight(vmID, "/"))
}
