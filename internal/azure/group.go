package azure

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"mngr/internal/agent"
)

// group makes the resource group, or makes sure that it is ours. A group that somebody
// else made is never adopted: cleanup would delete it.
func (w *preparation) group(ctx context.Context) error {
	name := w.p.settings.ResourceGroup
	got, err := w.s.groups.Get(ctx, name, nil)
	switch {
	case err == nil && got.Properties != nil && text(got.Properties.ProvisioningState) == "Deleting":
		return agent.Errorf(agent.KindConflict, "resource group %s is being deleted", name).
			WithHint("wait until it is gone, then again: %s", w.p.prepareCommand())
	case err == nil && !ours(got.Tags) && !w.o.UseExistingGroup:
		return agent.Errorf(agent.KindRefused, "resource group %s exists and was not made by mngr", name).
			WithHint("%s --use-existing-group, or configure another resource_group", w.p.prepareCommand())
	case err == nil:
		w.note("resource group", name, false)
		return nil
	case !absent(err):
		return w.p.translate(err, "look at resource group "+name)
	case w.o.UseExistingGroup:
		return agent.Errorf(agent.KindNotFound, "resource group %s does not exist", name).
			WithHint("leave --use-existing-group out, and mngr makes it")
	}
	_, err = w.s.groups.CreateOrUpdate(ctx, name, armresources.ResourceGroup{
		Location: new(w.n.region), Tags: w.p.settings.ownerTags(),
	}, nil)
	if err != nil {
		return w.p.translate(err, "create resource group "+name)
	}
	w.result.Created = true
	w.note("resource group", name, true)
	return nil
}

// elsewhere refuses a resource that lies in another region than the one asked for.
func elsewhere(what, location, region string) error {
	if normalRegion(location) == region {
		return nil
	}
	return agent.Errorf(agent.KindRefused, "%s lies in region %s, not in %s", what, normalRegion(location), region).
		WithHint("configure default_region = %q, or other names for vnet_name and nsg_name", normalRegion(location))
}

// foreign refuses a resource that has our name and not our tag.
func foreign(what string) error {
	return agent.Errorf(agent.KindRefused, "%s exists and was not made by mngr", what).
		WithHint("configure other names: vnet_name, nsg_name")
}

// otherGroups counts the groups of the subscription that mngr has prepared besides one.
func (s *session) otherGroups(ctx context.Context, but string) (int, error) {
	list, err := collect(ctx, s.groups.NewListPager(&armresources.ResourceGroupsClientListOptions{
		Filter: new("tagName eq '" + tagManagedBy + "' and tagValue eq '" + managedBy + "'"),
	}), func(page armresources.ResourceGroupsClientListResponse) []*armresources.ResourceGroup {
		return page.Value
	})
	n := 0
	for _, g := range list {
		if ours(g.Tags) && !strings.EqualFold(text(g.Name), but) {
			n++
		}
	}
	return n, err
}
