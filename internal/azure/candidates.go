package azure

import (
	"slices"
	"strings"

	"mngr/internal/agent"
)

// Candidates are the machines to try for a spec, the one asked for first: then its region
// with the other sizes, then the other regions, each with all sizes. A size or a region
// that the spec names itself is the only one. A size that cannot be Spot is left out for
// Spot.
func (p *Provider) Candidates(spec agent.MachineSpec) []agent.Candidate {
	set := p.settings
	sizes, regions := []string{spec.Size}, []string{set.network(spec.Region).region}
	if spec.Size == "" {
		sizes = append([]string{set.usualSize(spec.Spot)}, set.FallbackVMSizes...)
	}
	if spec.Region == "" {
		for _, r := range set.FallbackRegions {
			regions = append(regions, normalRegion(r))
		}
	}
	var all []agent.Candidate
	for _, region := range regions {
		for i, size := range sizes {
			c := agent.Candidate{Region: region, Size: size}
			known := func(o agent.Candidate) bool { return o.Region == c.Region && strings.EqualFold(o.Size, c.Size) }
			if i > 0 && spec.Spot && isBurstable(size) || slices.ContainsFunc(all, known) {
				continue
			}
			all = append(all, c)
		}
	}
	return all
}

// usualSize is the size of a machine for which none is named.
func (s Settings) usualSize(spot bool) string {
	if spot {
		return s.SpotVMSize
	}
	return s.VMSize
}
