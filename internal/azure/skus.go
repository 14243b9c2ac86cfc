package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

// checkSize looks a size up among the region's, which also tell what this subscription
// may not use there. They do not tell where there is capacity.
func (p *Provider) checkSize(ctx context.Context, s *session, spec agent.MachineSpec) error {
	// A list of about a megabyte. Azure's answer to the machine's request will do instead: a
	// refusal there leaves nothing either.
	ctx, done := agent.Within(ctx, agent.DeadlineSizes, "reading the sizes of region "+spec.Region)
	defer done(nil)
	sizes, err := p.sizesOf(ctx, s, spec.Region)
	if err != nil || len(sizes) == 0 {
		return nil
	}
	sc := p.scene().at(spec.Region, spec.Size)
	size, known := sizes[strings.ToLower(spec.Size)]
	switch {
	case !known:
		return sc.explain(armError{code: "InvalidParameter", target: "vmSize"})
	case spec.Spot && size.noSpot:
		return sc.explain(armError{code: "AzureSpotIsNotSupportedForThisVMSize"})
	case size.restricted != "":
		return sc.explain(armError{code: size.restricted})
	}
	return nil
}

// sizeFacts are what a machine's request may trip over.
type sizeFacts struct {
	noSpot     bool
	restricted string // why this subscription may not use it in the region, for example NotAvailableForSubscription
}

// sizesOf returns the sizes of a region by name in lower case.
func (p *Provider) sizesOf(ctx context.Context, s *session, region string) (map[string]sizeFacts, error) {
	p.mu.Lock()
	sizes, known := p.sizes[region]
	p.mu.Unlock()
	if known {
		return sizes, nil
	}
	skus, err := collect(ctx, s.skus.NewListPager(&armcompute.ResourceSKUsClientListOptions{Filter: new("location eq '" + region + "'")}),
		func(page armcompute.ResourceSKUsClientListResponse) []*armcompute.ResourceSKU { return page.Value })
	if err != nil {
		return nil, err
	}
	sizes = map[string]sizeFacts{}
	for _, sku := range skus {
		if strings.EqualFold(text(sku.ResourceType), "virtualMachines") {
			sizes[strings.ToLower(text(sku.Name))] = factsOfSKU(sku)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sizes[region] = sizes
	return sizes, nil
}

func factsOfSKU(sku *armcompute.ResourceSKU) sizeFacts {
	var f sizeFacts
	for _, c := range sku.Capabilities {
		if c != nil && strings.EqualFold(text(c.Name), "LowPriorityCapable") {
			f.noSpot = strings.EqualFold(text(c.Value), "False")
		}
	}
	for _, r := range sku.Restrictions {
		// A restriction of zones concerns no machine of ours, which names none.
		if r != nil && r.Type != nil && *r.Type == armcompute.ResourceSKURestrictionsTypeLocation {
			f.restricted = string(armcompute.ResourceSKURestrictionsReasonCodeNotAvailableForSubscription)
		}
	}
	return f
}
