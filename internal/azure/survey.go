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
	home         *armnetwork.SecurityGroup // of the instance's own region, where another is prepared
	vnet         *armnetwork.VirtualNetwork
	role         bool
	roleErr      error // why nobody knows about the role
}

// look reads everything at once.
func (w *preparation) look(ctx context.Context) (seen survey, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineAccept, "looking at resource group "+w.p.settings.ResourceGroup)
	defer done(&err)
	var found survey
	group, set := w.p.settings.ResourceGroup, w.p.settings
	g, ctx := errgroup.WithContext(ctx)
	read := func(what string, get func() error) {
		g.Go(func() error {
			if err := get(); err != nil && !absent(err) {
				return w.p.translate(err, "look at "+what)
			}
			return nil
		})
	}
	read("the resource providers", func() error { return w.lookAtProviders(ctx, &found) })
	read(kindGroup+" "+group, func() error {
		got, err := w.s.groups.Get(ctx, group, nil)
		found.group = ifRead(&got.ResourceGroup, err)
		return err
	})
	read(kindSecurityGroup+" "+w.n.nsg, func() error {
		got, err := w.s.nsgs.Get(ctx, group, w.n.nsg, nil)
		found.nsg = ifRead(&got.SecurityGroup, err)
		return err
	})
	read(kindNetwork+" "+w.n.vnet, func() error {
		got, err := w.s.vnets.Get(ctx, group, w.n.vnet, nil)
		found.vnet = ifRead(&got.VirtualNetwork, err)
		return err
	})
	if w.n.nsg != set.NSGName {
		read(kindSecurityGroup+" "+set.NSGName, func() error {
			got, err := w.s.nsgs.Get(ctx, group, set.NSGName, nil)
			found.home = ifRead(&got.SecurityGroup, err)
			return err
		})
	}
	if set.SelfStop {
		read(kindRole+" "+roleName, func() error {
			found.role, found.roleErr = w.s.hasRole(ctx)
			return nil
		})
	}
	return found, g.Wait()
}

// ifRead is nil where there was nothing to read.
func ifRead[T any](got *T, err error) *T {
	if err != nil {
		return nil
	}
	return got
}

// lookAtProviders reads the registrations. Who may not see them goes on: a write will tell.
func (w *preparation) lookAtProviders(ctx context.Context, found *survey) error {
	found.registration, found.regions = map[string]string{}, map[string]bool{}
	for _, name := range namespaces {
		got, err := w.s.providers.Get(ctx, name, nil)
		if denied(err) {
			continue
		}
		if err != nil {
			return err
		}
		found.registration[name] = text(got.RegistrationState)
		if name == namespaceNetwork {
			found.addRegions(got.Provider)
		}
	}
	return nil
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
