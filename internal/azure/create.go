package azure

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

// mostCustomData is Azure's limit in bytes before encoding.
const mostCustomData = 65535

// phaseTakingBack is that of an interrupted request whose answer is waited for.
const phaseTakingBack = "interrupted: waiting for Azure's answer, to undo it"

type createOp = runtime.Poller[armcompute.VirtualMachinesClientCreateOrUpdateResponse]

// Create asks for the machine in one request and returns once Azure has accepted or
// refused it. If the answer is lost, or another machine has the name, the machine is
// looked at: one that carries our host id is ours. The end of ctx does not end a request
// under way, whose outcome nobody would know: what it made is then removed.
func (p *Provider) Create(ctx context.Context, spec agent.MachineSpec, progress agent.Progress) (*Creation, error) {
	if ctx.Err() != nil {
		return nil, p.translate(ctx.Err(), "create the machine of host "+spec.HostName)
	}
	r, err := p.request(ctx, spec)
	if err != nil {
		return nil, err
	}
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.login(ctx); err != nil { // while an interruption still ends it at once
		return nil, p.translate(cmp.Or(ctx.Err(), err), "create machine "+r.name)
	}
	say(progress, "asking Azure for the machine")
	told := context.AfterFunc(ctx, func() { say(progress, phaseTakingBack) })
	defer told()
	vm, op, err := p.ask(ctx, s, r, progress)
	if err != nil {
		vm, err = p.afterRefusal(ctx, s, r, err, progress)
	}
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, p.takeBack(ctx, s, r, progress)
	}
	return p.accepted(ctx, s, r, vm, op), nil
}

// ask sends the machine's request, in one piece where Azure takes it so. What is
// throttled has made nothing and is asked for again when Azure says.
func (p *Provider) ask(ctx context.Context, s *session, r machineRequest, progress agent.Progress) (vm *armcompute.VirtualMachine, op *createOp, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineOperation, "asking Azure for machine "+r.name)
	defer done(&err)
	err = unthrottled(ctx, progress, func(ctx context.Context) (err error) {
		vm, op, err = p.put(ctx, s, r, r.body())
		return err
	})
	if !inlineRefused(err) {
		return vm, op, err
	}
	err = unthrottled(ctx, progress, func(ctx context.Context) (err error) {
		vm, op, err = p.putSeparately(ctx, s, r, progress)
		return err
	})
	return vm, op, err
}

// takeBack removes a machine that was accepted after its user had gone.
func (p *Provider) takeBack(ctx context.Context, s *session, r machineRequest, progress agent.Progress) error {
	host := agent.Host{ID: r.spec.HostID, Name: r.spec.HostName, Resource: s.vmID(p.settings.ResourceGroup, r.name)}
	if err := p.Destroy(context.WithoutCancel(ctx), host, progress); err != nil && !agent.Harmless(err) {
		return remaining(p.translate(ctx.Err(), "create machine "+r.name), err)
	}
	return agent.Errorf(agent.KindCanceled, "interrupted; the half-made host is removed")
}

// request resolves what the spec leaves open and refuses what Azure would refuse.
func (p *Provider) request(ctx context.Context, spec agent.MachineSpec) (machineRequest, error) {
	spec, err := p.settings.resolve(spec)
	if err != nil {
		return machineRequest{}, err
	}
	if len(spec.CustomData) > mostCustomData {
		return machineRequest{}, agent.Errorf(agent.KindUsage,
			"the machine's first instructions have %d bytes, and Azure takes %d", len(spec.CustomData), mostCustomData)
	}
	tags := p.settings.hostTags(spec)
	if err := checkTags(tags); err != nil {
		return machineRequest{}, err
	}
	s, err := p.session(ctx)
	if err != nil {
		return machineRequest{}, err
	}
	net := p.settings.network(spec.Region)
	return machineRequest{
		settings: p.settings,
		spec:     spec,
		name:     vmName(spec.HostName),
		subnetID: s.networkID(p.settings.ResourceGroup, "virtualNetworks", net.vnet) + "/subnets/" + net.subnet,
		tags:     tags,
	}, nil
}

// put sends the machine's request and hears the answer out, whatever becomes of ctx. A
// machine of that name is never touched.
func (p *Provider) put(ctx context.Context, s *session, r machineRequest, body armcompute.VirtualMachine) (vm *armcompute.VirtualMachine, op *createOp, err error) {
	ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineAccept, "asking Azure for machine "+r.name)
	defer done(nil) // whether there is a machine counts first: see afterRefusal
	var first *http.Response
	op, err = s.machines.BeginCreateOrUpdate(policy.WithCaptureResponse(ctx, &first), p.settings.ResourceGroup, r.name, body,
		&armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{IfNoneMatch: new("*")})
	if err != nil {
		return nil, nil, err
	}
	vm = &armcompute.VirtualMachine{}
	if raw, err := runtime.Payload(first); err == nil && vm.UnmarshalJSON(raw) == nil {
		return vm, op, nil
	}
	return &armcompute.VirtualMachine{}, op, nil
}

// afterRefusal finds out what a failed request has left behind: our machine, somebody
// else's, or nothing.
func (p *Provider) afterRefusal(ctx context.Context, s *session, r machineRequest, cause error, progress agent.Progress) (*armcompute.VirtualMachine, error) {
	_, noLogin := errors.AsType[*loginError](cause)
	refused := p.scene().at(r.spec.Region, r.spec.Size).translate(cause, "create machine "+r.name)
	ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineUnsure, "looking whether machine "+r.name+" was made")
	defer done(nil)
	if unclear(cause) {
		say(progress, "looking whether Azure has made machine "+r.name+" all the same")
		vm, err := p.lookFor(ctx, s, r.name)
		switch {
		case err == nil && tag(vm.Tags, tagHostID) == string(r.spec.HostID):
			return vm, nil
		case err == nil:
			return nil, p.taken(vm, r)
		case err != nil && !absent(err):
			return nil, &agent.Error{Kind: agent.KindRemains, Err: cause,
				Cause: "Azure's answer was lost, so that machine " + r.name + " may exist: " + refused.Error(),
				Hint:  "mngr list # shows whether it does; then: mngr destroy --force @" + string(r.spec.HostID)} // the name may lead to a colleague's
		}
	}
	if noLogin {
		return nil, refused
	}
	// A refused request leaves nothing by Azure's contract; one look costs little.
	if err := p.sweep(ctx, s, partsOf(r.name, s.vmID(p.settings.ResourceGroup, r.name), r.spec.HostID), nil); err != nil {
		return nil, remaining(refused, err)
	}
	return nil, refused
}

// taken is the error of who was second to ask for a machine of one name.
func (p *Provider) taken(vm *armcompute.VirtualMachine, r machineRequest) error {
	first := p.hostOf(vm, nil)
	switch {
	case !ours(vm.Tags):
		return agent.Errorf(agent.KindExists, "the machine name %s of host %q is taken by a machine that mngr did not make", r.name, r.spec.HostName).
			WithHint("choose another host name")
	case first.State == agent.HostDeleting:
		return agent.Errorf(agent.KindConflict, "the machine of an earlier host %q is being deleted", r.spec.HostName).
			WithHint("sleep 60 # then repeat the command")
	case first.Name != r.spec.HostName:
		return agent.Errorf(agent.KindExists, "the machine name %s of host %q is that of host %q, which has been renamed", r.name, r.spec.HostName, first.Name).
			WithHint("choose another host name")
	}
	return agent.Errorf(agent.KindExists, "host %q exists since a moment ago: it was made %s", first.Name, first.Begun()).
		WithHint("mngr list # shows it; or choose another name")
}

// unclear tells whether a failed request may have made a machine all the same: nobody
// heard the answer, or the answer is one that a repetition of a heard request gets.
func unclear(cause error) bool {
	if _, noLogin := errors.AsType[*loginError](cause); noLogin || errors.Is(cause, context.Canceled) {
		return false // never sent: see put
	}
	arm, answered := asARM(cause)
	return !answered || arm.status >= 500 || arm.status == http.StatusPreconditionFailed || busy(cause)
}

// looksForLost bounds lookFor: with pauses of 1, 2, 4 … s half a minute lies between the
// first look and the last.
const looksForLost = 6

// lookFor reads a machine that may have been made a moment ago. ARM's reads may lag
// behind its writes, so that it is absent only when it stays so.
func (p *Provider) lookFor(ctx context.Context, s *session, name string) (found *armcompute.VirtualMachine, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineAccept, "looking whether machine "+name+" was made")
	defer done(&err)
	delay := p.settings.PollInterval / 2
	for look := 1; ; look++ {
		vm, err := s.machines.Get(ctx, p.settings.ResourceGroup, name, nil)
		if err == nil || look == looksForLost || pause(ctx, delay) != nil {
			return &vm.VirtualMachine, err
		}
		delay *= 2
	}
}

// resolve fills in the instance's defaults.
func (s Settings) resolve(spec agent.MachineSpec) (agent.MachineSpec, error) {
	spec.Region = s.network(spec.Region).region
	if spec.Spot && isBurstable(spec.Size) {
		return spec, agent.Errorf(agent.KindUsage, "size %s cannot be Spot: Azure has no B-series Spot machines", spec.Size).
			WithHint("leave the size out for %s, or choose a D-series size", s.SpotVMSize)
	}
	if spec.Size == "" {
		spec.Size = s.usualSize(spec.Spot)
	}
	return spec, nil
}
