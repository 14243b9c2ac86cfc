package fleet

import (
	"context"
	"strings"
	"sync"

	"mngr/internal/agent"
)

// BilledParts are what cost something of hosts that are gone, such as an address that Azure
// would not delete. gc finds the same, and removes what nothing speaks for keeping.
func (f *Fleet) BilledParts(ctx context.Context, providers []string) ([]Garbage, []ProviderError, error) {
	instances, err := f.asked(providers)
	if err != nil {
		return nil, nil, err
	}
	found := make([]look, len(instances))
	var wg sync.WaitGroup
	for n, i := range instances {
		wg.Go(func() {
			found[n].instance = i
			found[n].parts, found[n].err = i.Leftovers(ctx)
		})
	}
	wg.Wait()
	parts, errs, seen := []Garbage{}, []ProviderError(nil), map[string]bool{}
	for _, l := range found {
		switch {
		case l.instance.missed(l.err):
		case l.err != nil:
			errs = append(errs, ProviderError{Provider: l.instance.Name(), Err: l.err})
		}
		for _, part := range l.parts {
			if key := strings.ToLower(part.Resource); part.Monthly != (agent.USD{}) && !seen[key] {
				seen[key] = true
				parts = append(parts, Garbage{Leftover: part, Provider: l.instance.Name()})
			}
		}
	}
	return parts, errs, ctx.Err()
}
