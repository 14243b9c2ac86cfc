package azure

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"mngr/internal/agent"
)

const kindGroup = "resource group"

// planGroup makes the resource group, or makes sure that it is ours. A group that somebody
// else made is never adopted: cleanup would delete it. Where our network is in it already,
// its owner has agreed to that.
func (w *preparation) planGroup(found survey) error {
	name, group := w.p.settings.ResourceGroup, found.group
	agreed := w.o.UseExistingGroup || found.nsg != nil && ours(found.nsg.Tags) && found.vnet != nil && ours(found.vnet.Tags)
	switch {
	case group == nil && w.o.UseExistingGroup:
		return agent.Errorf(agent.KindNotFound, "resource group %s does not exist", name).
			WithHint("leave --use-existing-group out, and mngr makes it")
	case group == nil:
		w.add(step{
			part:  Part{Kind: kindGroup, Name: name, Action: Create},
			there: func(ctx context.Context) error { _, err := w.s.groups.Get(ctx, name, nil); return err },
			do:    w.createGroup,
		})
		return nil
	case group.Properties != nil && text(group.Properties.ProvisioningState) == "Deleting":
		return agent.Errorf(agent.KindConflict, "resource group %s is being deleted", name).
			WithHint("az group wait --name %s --deleted # then again: %s", name, w.p.prepareCommand())
	case !ours(group.Tags) && !agreed:
		return agent.Errorf(agent.KindRefused, "resource group %s exists and was not made by mngr", name).
			WithHint("%s --use-existing-group # or configure another resource_group", w.p.prepareCommand())
	}
	w.keep(kindGroup, name)
	return nil
}

func (w *preparation) createGroup(ctx context.Context) error {
	_, err := w.s.groups.CreateOrUpdate(ctx, w.p.settings.ResourceGroup, armresources.ResourceGroup{
		Location: new(w.n.region), Tags: w.p.settings.ownerTags(),
	}, nil)
	return err
}

// elsewhere refuses a resource that lies in another region than the one asked for.
func (s Settings) elsewhere(what, location, region string) error {
	if normalRegion(location) == region {
		return nil
	}
	return agent.Errorf(agent.KindRefused, "%s lies in region %s, not in %s", what, normalRegion(location), region).
		WithHint("mngr config set providers.%s.default_region %s # or other names for vnet_name and nsg_name", s.Name, normalRegion(location))
}

// foreign refuses a resource that has our name and not our tag.
func foreign(what string) error {
	return agent.Errorf(agent.KindRefused, "%s exists and was not made by mngr", what).
		WithHint("configure other names: vnet_name, nsg_name")
}

// otherGroups lists the groups of the subscription that mngr has prepared besides one:
// its own, and those of others in which it has put a network.
func (s *session) otherGroups(ctx context.Context, but string) ([]string, error) {
	const tagged = "tagName eq '" + tagManagedBy + "' and tagValue eq '" + managedBy + "'"
	groups, err := collect(ctx, s.groups.NewListPager(&armresources.ResourceGroupsClientListOptions{Filter: new(tagged)}),
		func(page armresources.ResourceGroupsClientListResponse) []*armresources.ResourceGroup {
			return page.Value
		})
	if err != nil {
		return nil, err
	}
	resources, err := collect(ctx, s.resources.NewListPager(&armresources.ClientListOptions{Filter: new(tagged)}),
		func(page armresources.ClientListResponse) []*armresources.GenericResourceExpanded { return page.Value })
	if err != nil {
		return nil, err
	}
	others := map[string]bool{}
	for _, g := range groups {
		if ours(g.Tags) {
			others[strings.ToLower(text(g.Name))] = true
		}
	}
	for _, r := range resources {
		if id, err := arm.ParseResourceID(text(r.ID)); err == nil && ours(r.Tags) {
			others[strings.ToLower(id.ResourceGroupName)] = true
		}
	}
	delete(others, strings.ToLower(but))
	return slices.Sorted(maps.Keys(others)), nil
}
