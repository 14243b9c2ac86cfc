package azure

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"golang.org/x/sync/errgroup"

	"mngr/internal/agent"
)

// survey is what prepare finds. nil means absent.
type survey struct {
	registration map[string]string // state by namespace; "" where the login may not see it
	regions      map[string]bool   // where networks can be made; empty where nobody said
	group        *armresources.ResourceGroup
	nsg          *armnetwork.SecurityGroup
	vnet         *armnetwork.VirtualNetwork
	role         bool
	roleErr      error // why nobody knows about the role
}

// look reads everything at once.
func (w *preparation) look(ctx context.Context) (survey, error) {
	ctx, cancel := context.WithTimeout(ctx, agent.DeadlineAccept)
	defer cancel()
	found := survey{registration: map[string]string{}, regions: map[string]bool{}}
	states := make([]string, len(namespaces))
	group := w.p.settings.ResourceGroup
	g, ctx := errgroup.WithContext(ctx)
	for i, name := range namespaces {
		g.Go(func() error {
			got, err := w.s.providers.Get(ctx, name, nil)
			if denied(err) { // then a write will tell
				return nil
			}
			states[i] = text(got.RegistrationState)
			if name == namespaceNetwork {
				found.addRegions(got.Provider)
			}
			return w.p.translate(err, "look at resource provider "+name)
		})
	}
	g.Go(func() error {
		got, err := ifThere(w.s.groups.Get(ctx, group, nil))
		if got != nil {
			found.group = &got.ResourceGroup
		}
		return w.p.translate(err, "look at resource group "+group)
	})
	g.Go(func() error {
		got, err := ifThere(w.s.nsgs.Get(ctx, group, w.n.nsg, nil))
		if got != nil {
			found.nsg = &got.SecurityGroup
		}
		return w.p.translate(err, "look at security group "+w.n.nsg)
	})
	g.Go(func() error {
		got, err := ifThere(w.s.vnets.Get(ctx, group, w.n.vnet, nil))
		if got != nil {
			found.vnet = &got.VirtualNetwork
		}
		return w.p.translate(err, "look at network "+w.n.vnet)
	})
	g.Go(func() error {
		if w.p.settings.SelfStop {
			found.role, found.roleErr = w.s.hasRole(ctx)
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return survey{}, err
	}
	for i, name := range namespaces {
		found.registration[name] = states[i]
	}
	return found, nil
}

// addRegions reads where virtual networks are to be had; the list has display names.
func (f *survey) addRegions(p armresources.Provider) {
	for _, t := range p.ResourceTypes {
		if t != nil && text(t.ResourceType) == "virtualNetworks" {
			for _, l := range t.Locations {
				f.regions[normalRegion(text(l))] = true
			}
		}
	}
}

// ifThere turns absence into nil.
func ifThere[T any](got T, err error) (*T, error) {
	switch {
	case absent(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &got, nil
}
