package azure

import (
	"context"
	"golang.org/x/sync/errgroup"
	"regexp"

	"mngr/internal/agent"
)

// Preflight refuses what cannot work before anything is written.
func (p *Provider) Preflight(ctx context.Context, spec agent.MachineSpec) (err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineAccept, "checking what Azure needs")
	defer done(&err)
	r, err := p.request(ctx, spec)
	if err != nil {
		return err
	}
	s, err := p.session(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		_, err := p.subnetPrefix(ctx, s, p.settings.network(r.spec.Region))
		return err
	})
	g.Go(func() error { return p.checkSize(ctx, s, r.spec) })
	return g.Wait()
}

// subnetPrefix returns the address range of the subnet that a region's hosts are in.
func (p *Provider) subnetPrefix(ctx context.Context, s *session, n network) (string, error) {
	p.mu.Lock()
	prefix, known := p.subnets[n.region]
	p.mu.Unlock()
	if known {
		return prefix, nil
	}
	vnet, err := s.vnets.Get(ctx, p.settings.ResourceGroup, n.vnet, nil)
	if absent(err) {
		return "", p.notPrepared(n, err)
	}
	if err != nil {
		return "", p.translate(err, "look for network "+n.vnet)
	}
	if err := p.settings.elsewhere("network "+n.vnet, text(vnet.Location), n.region); err != nil {
		return "", err
	}
	subnet := findSubnet(&vnet.VirtualNetwork, n.subnet)
	if subnet == nil {
		return "", p.notPrepared(n, nil)
	}
	prefix = prefixOf(subnet)
	p.mu.Lock()
	p.subnets[n.region] = prefix
	p.mu.Unlock()
	return prefix, nil
}

func (p *Provider) notPrepared(n network, err error) error {
	hint := p.prepareCommand()
	if n.region != normalRegion(p.settings.Region) {
		hint += " --region " + n.region
	}
	return &agent.Error{Kind: agent.KindNotPrepared, Hint: hint, Err: err,
		Cause: "provider " + p.settings.Name + " is not prepared in region " + n.region}
}

var burstable = regexp.MustCompile(`(?i)^(standard|basic)_b[0-9]`)

// isBurstable tells B-series sizes, which Azure does not sell as Spot (Microsoft's page
// on Spot machines).
func isBurstable(size string) bool { return burstable.MatchString(size) }
