package azure

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/sync/errgroup"

	"mngr/internal/agent"
)

// manyViews is how many instance views are read at a time.
const manyViews = 16

// views are instance views by machine id in lower case.
type views map[string]*armcompute.VirtualMachineInstanceView

// List returns every machine of ours in the group. Azure refuses to expand instance
// views in a group's list, so states come from the subscription's, which in turn lacks
// the rest; both are asked at once and joined.
func (p *Provider) List(ctx context.Context) (listed []agent.Host, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineList, "listing the machines of resource group "+p.settings.ResourceGroup)
	defer done(&err)
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.login(ctx); err != nil { // so that a slow login does not count as slow states
		return nil, p.unlisted(ctx, err, "logging in to Azure")
	}
	var vms []*armcompute.VirtualMachine
	var ips []*armnetwork.PublicIPAddress
	var noAddresses error
	var states views
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { vms, err = s.listVMs(gctx, p.settings.ResourceGroup); return })
	// A machine without its address can still be stopped and destroyed.
	g.Go(func() error { ips, noAddresses = s.listIPs(gctx, p.settings.ResourceGroup); return nil })
	g.Go(func() error { states = s.listStates(gctx); return nil })
	if err := g.Wait(); err != nil {
		return nil, p.unlisted(ctx, err, "list machines")
	}
	hosts := p.join(ctx, s, vms, states, indexIPs(ips))
	for i := range hosts {
		p.admit(&hosts[i], noAddresses)
	}
	s.findEvicted(ctx, vms, hosts)
	return hosts, nil
}

// Names returns every machine of ours without its address, and without its state where that
// takes another request.
func (p *Provider) Names(ctx context.Context) (hosts []agent.Host, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineList, "listing the machines of resource group "+p.settings.ResourceGroup)
	defer done(&err)
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	vms, err := s.listVMs(ctx, p.settings.ResourceGroup)
	if err != nil {
		return nil, p.unlisted(ctx, err, "list machines")
	}
	for _, vm := range vms {
		if ours(vm.Tags) {
			hosts = append(hosts, p.hostOf(vm, nil))
		}
	}
	return hosts, nil
}

// unlisted is translate for a listing. Its user is not sent to another one.
func (p *Provider) unlisted(ctx context.Context, err error, doing string) error {
	known := p.translate(err, doing)
	e := &agent.Error{Kind: agent.KindOf(known), Err: err, Cause: known.Error(), Hint: agent.HintOf(known)}
	switch {
	case e.Kind == agent.KindTimeout && agent.Passed(ctx):
		e.Cause, e.Hint = fmt.Sprintf("%s: Azure has not answered for %s", doing, agent.DeadlineList), trySoon
	case e.Kind == agent.KindUnreachable && strings.HasPrefix(e.Hint, "mngr list"):
		e.Hint = trySoon
	default:
		return known
	}
	return e
}

// admit says what is known of a host's address: of one without, that it may have one where
// nobody could look.
func (p *Provider) admit(h *agent.Host, noAddresses error) {
	if noAddresses == nil && h.State != agent.HostCreating {
		h.Addresses = new(0)
	}
	if h.Address != "" {
		h.Addresses = new(1)
	}
	if noAddresses != nil && h.Address == "" && h.Failure == "" {
		h.Failure = p.translate(noAddresses, "look up its address").Error()
	}
}

// login asks for the token that everything else will need.
func (s *session) login(ctx context.Context) error {
	_, err := s.token.GetToken(ctx, policy.TokenRequestOptions{
		EnableCAE: true, Scopes: []string{s.place.arm().Audience + "/.default"}})
	return err
}

// listStates returns what it got in time. A login without rights on the subscription
// gets 403 or a filtered list: whatever is missing is asked for one by one.
func (s *session) listStates(ctx context.Context) views {
	ctx, done := agent.Within(ctx, agent.DeadlineStates, "listing states") // it covers every machine of the subscription, not only ours
	defer done(nil)
	out := views{}
	pager := s.machines.NewListAllPager(&armcompute.VirtualMachinesClientListAllOptions{StatusOnly: new("true")})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return out
		}
		for _, vm := range page.Value {
			if vm != nil && text(vm.ID) != "" && vm.Properties != nil && vm.Properties.InstanceView != nil {
				out[strings.ToLower(*vm.ID)] = vm.Properties.InstanceView
			}
		}
	}
	return out
}

// join makes hosts of our machines, in the order of Azure's list.
func (p *Provider) join(ctx context.Context, s *session, vms []*armcompute.VirtualMachine, states views, addresses ipIndex) []agent.Host {
	hosts := make([]*agent.Host, len(vms))
	var g errgroup.Group
	g.SetLimit(manyViews)
	for i, vm := range vms {
		if !ours(vm.Tags) {
			continue
		}
		if view, known := states[strings.ToLower(text(vm.ID))]; known {
			hosts[i] = new(p.hostOf(vm, view))
			if hosts[i].State != agent.HostUnknown {
				continue
			}
			// One list may be older than the other: a machine that was being made in it.
		}
		g.Go(func() error {
			hosts[i] = p.lookAt(ctx, s, vm)
			return nil
		})
	}
	_ = g.Wait()
	var out []agent.Host
	for i, h := range hosts {
		if h != nil {
			h.Address = addresses.of(vms[i])
			out = append(out, *h)
		}
	}
	return out
}

// lookAt reads one machine's instance view; nil when the machine has gone meanwhile. A
// view that cannot be read makes the host UNKNOWN, never absent.
func (p *Provider) lookAt(ctx context.Context, s *session, vm *armcompute.VirtualMachine) *agent.Host {
	got, err := s.machines.InstanceView(ctx, p.settings.ResourceGroup, text(vm.Name), nil)
	if absent(err) {
		return nil
	}
	if err != nil {
		h := p.hostOf(vm, nil)
		if h.State == agent.HostUnknown {
			h.Failure = p.translate(err, "read its state").Error()
		}
		return &h
	}
	return new(p.hostOf(vm, &got.VirtualMachineInstanceView))
}

// Get returns one machine with its state and address.
func (p *Provider) Get(ctx context.Context, resource string) (host agent.Host, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineList, "reading machine "+path.Base(resource))
	defer done(&err)
	defer agent.Patiently(ctx, "asking Azure about machine "+path.Base(resource))()
	s, err := p.session(ctx)
	if err != nil {
		return agent.Host{}, err
	}
	group := p.settings.ResourceGroup
	name, err := p.machineName(s, resource)
	if err != nil {
		return agent.Host{}, err
	}
	vm, err := s.machines.Get(ctx, group, name,
		&armcompute.VirtualMachinesClientGetOptions{Expand: new(armcompute.InstanceViewTypesInstanceView)})
	if absent(err) {
		return agent.Host{}, &agent.Error{Kind: agent.KindNotFound, Cause: "machine " + name + " does not exist", Err: err}
	}
	if err != nil {
		return agent.Host{}, p.translate(err, "read machine "+name)
	}
	h := p.hostOf(&vm.VirtualMachine, nil)
	one := []agent.Host{h}
	s.findEvicted(ctx, []*armcompute.VirtualMachine{&vm.VirtualMachine}, one)
	h = one[0]
	if h.Address = s.addressByInterface(ctx, &vm.VirtualMachine); h.Address == "" {
		var ips []*armnetwork.PublicIPAddress
		ips, err = s.listIPs(ctx, group)
		h.Address = indexIPs(ips).of(&vm.VirtualMachine)
	}
	p.admit(&h, err)
	return h, nil
}
