package azure

import (
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

type createOp = runtime.Poller[armcompute.VirtualMachinesClientCreateOrUpdateResponse]

// Create asks for the machine in one request and returns once Azure has accepted or
// refused it. If the answer is lost, or another machine has the name, the machine is
// looked at: one that carries our host id is ours.
func (p *Provider) Create(ctx context.Context, spec agent.MachineSpec, progress agent.Progress) (*Creation, error) {
	r, err := p.request(ctx, spec)
	if err != nil {
		return nil, err
	}
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	say(progress, "asking Azure for the machine")
	vm, op, err := p.put(ctx, s, r, r.body())
	if inlineRefused(err) {
		vm, op, err = p.putSeparately(ctx, s, r, progress)
	}
	if err != nil {
		vm, err = p.afterRefusal(ctx, s, r, err)
	}
	if err != nil {
		return nil, err
	}
	return p.accepted(ctx, s, r, vm, op), nil
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

// put sends the machine's request. A machine of that name is never touched.
func (p *Provider) put(ctx context.Context, s *session, r machineRequest, body armcompute.VirtualMachine) (*armcompute.VirtualMachine, *createOp, error) {
	ctx, cancel := context.WithTimeout(ctx, agent.DeadlineAccept)
	defer cancel()
	var first *http.Response
	op, err := s.machines.BeginCreateOrUpdate(policy.WithCaptureResponse(ctx, &first), p.settings.ResourceGroup, r.name, body,
		&armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{IfNoneMatch: new("*")})
	if err != nil {
		return nil, nil, err
	}
	vm := &armcompute.VirtualMachine{}
	if raw, err := runtime.Payload(first); err == nil && vm.UnmarshalJSON(raw) == nil {
		return vm, op, nil
	}
	return &armcompute.VirtualMachine{}, op, nil
}

// afterRefusal finds out what a failed request has left behind: our machine, somebody
// else's, or nothing.
func (p *Provider) afterRefusal(ctx context.Context, s *session, r machineRequest, cause error) (*armcompute.VirtualMachine, error) {
	arm, answered := asARM(cause)
	_, noLogin := errors.AsType[*loginError](cause)
	taken := arm.status == http.StatusPreconditionFailed
	lost := !noLogin && (!answered || arm.status >= 500)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), agent.DeadlineAccept+agent.DeadlineAddress)
	defer cancel()
	if taken || lost {
		vm, err := s.machines.Get(ctx, p.settings.ResourceGroup, r.name, nil)
		switch {
		case err == nil && tag(vm.Tags, tagHostID) == string(r.spec.HostID):
			return &vm.VirtualMachine, nil
		case err == nil:
			return nil, agent.Errorf(agent.KindExists, "the machine name %s of host %q is taken", r.name, r.spec.HostName).
				WithHint("mngr list, or choose another host name")
		case !absent(err):
			return nil, &agent.Error{Kind: agent.KindRemains, Err: cause,
				Cause: "Azure's answer was lost, so that machine " + r.name + " may exist: " + oneLine(cause.Error()),
				Hint:  "mngr list, then mngr destroy what is not wanted"}
		}
	}
	refused := translate(cause, "create machine "+r.name)
	if noLogin {
		return nil, refused
	}
	// A refused request leaves nothing by Azure's contract; one look costs little.
	if err := p.sweep(ctx, s, partsOf(r.name, s.vmID(p.settings.ResourceGroup, r.name), r.spec.HostID), nil); err != nil {
		return nil, remaining(refused, err)
	}
	return nil, refused
}

// resolve fills in the instance's defaults.
func (s Settings) resolve(spec agent.MachineSpec) (agent.MachineSpec, error) {
	spec.Region = s.network(spec.Region).region
	if spec.Spot && isBurstable(spec.Size) {
		return spec, agent.Errorf(agent.KindUsage, "size %s cannot be Spot: Azure has no B-series Spot machines", spec.Size).
			WithHint("leave the size out for %s, or choose a D-series size", s.SpotVMSize)
	}
	switch {
	case spec.Size == "" && spec.Spot:
		spec.Size = s.SpotVMSize
	case spec.Size == "":
		spec.Size = s.VMSize
	}
	return spec, nil
}
