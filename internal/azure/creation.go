package azure

import (
	"context"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

// Creation is a machine whose request has been accepted. Its methods may be called
// concurrently.
type Creation struct {
	p    *Provider
	s    *session
	name string
	host agent.Host
	op   *createOp // nil where the answer was lost: then the machine itself tells

	giveUp  context.CancelFunc // ends the attempt to assign the role
	granted chan struct{}      // closed when the role assignment has been made or has failed
	whyNot  string             // valid once granted is closed; "" means it may stop itself
}

// accepted starts what follows an accepted request: the role assignment comes first,
// since it takes up to ten minutes to bite (Microsoft's page on troubleshooting RBAC).
func (p *Provider) accepted(ctx context.Context, s *session, r machineRequest, vm *armcompute.VirtualMachine, op *createOp) *Creation {
	id := s.vmID(p.settings.ResourceGroup, r.name)
	host := p.hostOf(vm, nil)
	host.ID, host.Name, host.Resource = r.spec.HostID, r.spec.HostName, id
	host.Region, host.Size, host.Spot, host.Tags = r.spec.Region, r.spec.Size, r.spec.Spot, r.tags
	host.Provider = p.settings.Name
	host.State, host.Billing = agent.HostCreating, agent.BillingCompute
	ctx, giveUp := context.WithCancel(ctx)
	c := &Creation{p: p, s: s, name: r.name, host: host, op: op, giveUp: giveUp, granted: make(chan struct{})}
	go func() {
		defer giveUp()
		defer close(c.granted)
		if r.spec.NoIdentity {
			c.whyNot = withoutIdentity
			return
		}
		c.whyNot = p.letStopItself(ctx, s, id, vm.Identity)
	}()
	return c
}

// Host is the machine as accepted.
func (c *Creation) Host() agent.Host { return c.host }

// SelfStop tells whether the machine may deallocate itself; if not, why. It waits for
// the answer to the role assignment.
func (c *Creation) SelfStop() (ok bool, why string) {
	<-c.granted
	return c.whyNot == "", c.whyNot
}

// Wait returns when the machine is made or has failed. A failed one is left as it is:
// Undo removes it.
func (c *Creation) Wait(ctx context.Context) (err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineOperation, "waiting for Azure to make machine "+c.name)
	defer done(&err)
	return c.scene().translate(c.settle(ctx), "create machine "+c.name)
}

func (c *Creation) scene() scene { return c.p.scene().at(c.host.Region, c.host.Size) }

func (c *Creation) settle(ctx context.Context) error {
	if c.op == nil {
		return c.p.settled(ctx, c.s, c.name)
	}
	_, err := wait(ctx, c.p, c.op)
	// A create can be reported as preempted while the machine comes up all the same.
	if hasCode(err, "OperationPreempted") {
		return c.p.settled(ctx, c.s, c.name)
	}
	return err
}

// Undo removes the machine and all that belongs to it, as patiently as Destroy.
func (c *Creation) Undo(ctx context.Context, progress agent.Progress) error {
	c.giveUp()
	<-c.granted // else the assignment could be made after it was removed
	err := c.p.Destroy(ctx, c.host, progress)
	if agent.Harmless(err) {
		say(progress, err.Error())
		return nil
	}
	return err
}

// settled looks at the machine until no operation on it is under way.
func (p *Provider) settled(ctx context.Context, s *session, name string) error {
	for {
		vm, err := s.machines.Get(ctx, p.settings.ResourceGroup, name,
			&armcompute.VirtualMachinesClientGetOptions{Expand: new(armcompute.InstanceViewTypesInstanceView)})
		if err != nil {
			return err
		}
		switch f := factsOf(&vm.VirtualMachine, nil); strings.ToLower(f.provisioning) {
		case "succeeded":
			return nil
		case "failed", "canceled":
			return f.failed()
		case "deleting":
			return agent.Errorf(agent.KindConflict, "somebody is deleting it")
		}
		if err := pause(ctx, p.settings.PollInterval); err != nil {
			return err
		}
	}
}

// remaining is the error of a failure that could not be undone.
func remaining(failed, undo error) error {
	return &agent.Error{Kind: agent.KindRemains, Cause: failed.Error() + "; and then: " + undo.Error(),
		Hint: agent.HintOf(undo), Err: errors.Join(failed, undo)}
}
